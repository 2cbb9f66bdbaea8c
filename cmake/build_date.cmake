# SPDX-License-Identifier: MIT
# VERIDOH_BUILD_S: when the source was packed (SOURCE_DATE_EPOCH), else its last commit, else the
# newest it can be: the date of the top CMakeLists.txt. The same source gives the same program.
set(VERIDOH_BUILD_S "$ENV{SOURCE_DATE_EPOCH}")
if(NOT VERIDOH_BUILD_S MATCHES "^[0-9]+$")
  execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} log -1 --format=%ct
                  OUTPUT_VARIABLE VERIDOH_BUILD_S OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
endif()
if(NOT VERIDOH_BUILD_S MATCHES "^[0-9]+$")
  file(TIMESTAMP ${CMAKE_SOURCE_DIR}/CMakeLists.txt VERIDOH_BUILD_S "%s" UTC)
endif()
set_source_files_properties(${CMAKE_SOURCE_DIR}/proxy/clock.c PROPERTIES
  COMPILE_DEFINITIONS "VERIDOH_BUILD_S=UINT64_C(${VERIDOH_BUILD_S})")
