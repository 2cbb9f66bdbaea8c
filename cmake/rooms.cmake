# SPDX-License-Identifier: MIT
# room(NAME USES …): every .c of folder NAME but main.c becomes the static library NAME.
# program(NAME MAIN USES …): an executable. Both carry the project's warnings and hardening.
option(VERIDOH_TESTS "build the tests" ON)
option(VERIDOH_FUZZ "build the libFuzzer targets (clang)" OFF)
set(VERIDOH_SANITIZE "" CACHE STRING "comma separated list for -fsanitize=")
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_EXTENSIONS ON) # GNU/Linux interfaces: recvmmsg, SO_REUSEPORT
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

# A hit is many small functions of four rooms: across files they are worth inlining.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()

# A name is 257 octets, a reason why 528, and both are assigned a lot. For x86 gcc makes `rep movs` of
# that, which takes longer to start than the whole copy takes otherwise.
include(CheckCCompilerFlag)
set(strategy "unrolled_loop:256:noalign,libcall:-1:noalign")
set(copies "-mmemcpy-strategy=${strategy}" "-mmemset-strategy=${strategy}")
check_c_compiler_flag("-mmemcpy-strategy=${strategy}" VERIDOH_KNOWS_STRATEGIES)

add_library(strict INTERFACE)
if(VERIDOH_KNOWS_STRATEGIES)
  target_compile_options(strict INTERFACE ${copies})
  target_link_options(strict INTERFACE ${copies}) # for what is compiled there
endif()
target_compile_definitions(strict INTERFACE _GNU_SOURCE VERIDOH_VERSION="${PROJECT_VERSION}")
target_compile_options(strict INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  -Wstrict-prototypes -Wmissing-prototypes -fstack-protector-strong -fno-omit-frame-pointer
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2> -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_include_directories(strict INTERFACE ${CMAKE_SOURCE_DIR})
target_link_options(strict INTERFACE -Wl,-z,relro,-z,now)
if(VERIDOH_SANITIZE)
  target_compile_options(strict INTERFACE -fsanitize=${VERIDOH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(strict INTERFACE -fsanitize=${VERIDOH_SANITIZE})
  target_compile_definitions(strict INTERFACE VERIDOH_SANITIZED)
endif()
if(VERIDOH_FUZZ)
  target_compile_options(strict INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(room name)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${name}/*.c)
  list(FILTER sources EXCLUDE REGEX "/main\\.c$")
  add_library(${name} STATIC ${sources})
  set_target_properties(${name} PROPERTIES LINKER_LANGUAGE C)
  target_link_libraries(${name} PUBLIC strict ${ARG_USES})
endfunction()

function(program name main)
  cmake_parse_arguments(ARG "" "" "USES" ${ARGN})
  add_executable(${name} ${main})
  target_link_libraries(${name} PRIVATE strict ${ARG_USES})
endfunction()
