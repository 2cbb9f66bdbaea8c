// SPDX-License-Identifier: MIT
/* A mutation that knows HTTP/2 frames (RFC 9113 4.1). libFuzzer's own changes nearly always break
 * the length of a frame, at which the session ends: it would see little of what lies behind. Here
 * whole frames are changed, dropped, doubled, exchanged and put in, and their lengths stay true.
 * Only libFuzzer's program has it: the replay of a corpus links none of this. */
#ifndef FUZZ_H2_FRAMES_H
#define FUZZ_H2_FRAMES_H
#ifdef VERIDOH_LIBFUZZER

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t len, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed);

#define FRAME_HEAD 9u
#define FRAMES_MOST 64u
#define PLAIN_ONE_IN 8u /* libFuzzer's way stays: it makes the lengths that lie */

struct frames {
    size_t at[FRAMES_MOST + 1]; /* at[count]: where the last ends */
    size_t count;
};

static uint32_t frames_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t frames_payload(const uint8_t *head)
{
    return (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
}

static void frames_find(struct frames *f, const uint8_t *data, size_t from, size_t len)
{
    f->count = 0;
    f->at[0] = from;
    while (f->count < FRAMES_MOST && len - from >= FRAME_HEAD &&
           frames_payload(data + from) <= len - from - FRAME_HEAD) {
        from += FRAME_HEAD + frames_payload(data + from);
        f->at[++f->count] = from;
    }
}

/* Puts `with` where `old` octets stand at `at`. The length after it, or `len` when there is no
 * room. */
static size_t frames_splice(uint8_t *data, size_t len, size_t room, size_t at, size_t old,
                            const uint8_t *with, size_t with_len)
{
    if (len - old + with_len > room)
        return len;
    memmove(data + at + with_len, data + at + old, len - at - old);
    memcpy(data + at, with, with_len);
    return len - old + with_len;
}

/* The payload of one frame as libFuzzer would have it, the length in the head made to fit. */
static size_t frames_change_payload(uint8_t *data, size_t len, size_t room, size_t at)
{
    size_t old = frames_payload(data + at);
    size_t most = old + 64 > 16384 ? 16384 : old + 64;
    uint8_t *payload = malloc(most + old + 1);
    if (!payload)
        return len;
    memcpy(payload, data + at + FRAME_HEAD, old);
    size_t got = LLVMFuzzerMutate(payload, old, most > old ? most : old);
    if (len - old + got <= room) {
        len = frames_splice(data, len, room, at + FRAME_HEAD, old, payload, got);
        data[at] = (uint8_t)(got >> 16);
        data[at + 1] = (uint8_t)(got >> 8);
        data[at + 2] = (uint8_t)got;
    }
    free(payload);
    return len;
}

/* Type, flags or stream: one of those that mean something more often than not. */
static void frames_change_head(uint8_t *head, uint32_t r)
{
    switch (r % 4) {
    case 0: head[3] = (uint8_t)((r >> 8) % 12); break;
    case 1: head[4] ^= (uint8_t)(1u << (r >> 8) % 8); break;
    case 2: head[8] = (uint8_t)((r >> 8) % 18); break; /* our streams are 1, 3 … 15 */
    default: head[5 + (r >> 8) % 4] ^= (uint8_t)(1u << (r >> 16) % 8); break;
    }
}

/* A frame that a server might send: each type of RFC 9113 6, HEADERS with a status of HPACK's
 * static table (RFC 7541 A: 8 is 200, 12 is 400, 14 is 500) and one whose fields are literal. */
static size_t frames_insert(uint8_t *data, size_t len, size_t room, size_t at, uint32_t r)
{
    static const struct {
        uint8_t len, bytes[32];
    } made[] = {
        {9, {0, 0, 0, 4, 0, 0, 0, 0, 0}},
        {9, {0, 0, 0, 4, 1, 0, 0, 0, 0}},
        {15, {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 1}},
        {15, {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1}},
        {15, {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0}},
        {10, {0, 0, 1, 1, 4, 0, 0, 0, 1, 0x88}},
        {10, {0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88}},
        {10, {0, 0, 1, 1, 5, 0, 0, 0, 3, 0x8c}},
        {10, {0, 0, 1, 1, 0, 0, 0, 0, 1, 0x88}},
        {9, {0, 0, 0, 9, 4, 0, 0, 0, 1}},
        {16, {0, 0, 7, 1, 4, 0, 0, 0, 1, 0x08, 3, '1', '0', '3', 0x88, 0}},
        {14, {0, 0, 5, 1, 4, 0, 0, 0, 1, 0x88, 0x0f, 0x0d, 1, '9'}},
        {9, {0, 0, 0, 0, 1, 0, 0, 0, 1}},
        {11, {0, 0, 2, 0, 8, 0, 0, 0, 1, 1, 0}},
        {28, {0, 0, 19, 0, 1, 0, 0, 0, 1,   0, 0, 0x81, 0x80, 0,
              1, 0, 0,  0, 0, 0, 0, 1, 'a', 0, 0, 1,    0,    1}},
        {13, {0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 7}},
        {13, {0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 255, 255}},
        {17, {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}},
        {17, {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0}},
        {14, {0, 0, 5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 3, 16}},
        {14, {0, 0, 5, 5, 4, 0, 0, 0, 1, 0, 0, 0, 2, 0x88}},
    };
    uint8_t frame[sizeof made[0].bytes];
    size_t which = r % (sizeof made / sizeof *made);
    memcpy(frame, made[which].bytes, sizeof frame);
    if (frame[8])
        frame[8] = (uint8_t)(1 + 2 * ((r >> 8) % 8));
    return frames_splice(data, len, room, at, 0, frame, made[which].len);
}

/* A copy of frame `from` before frame `to`; the first is taken away when `move`. */
static size_t frames_copy(uint8_t *data, size_t len, size_t room, const struct frames *f,
                          size_t from, size_t to, bool move)
{
    size_t size = f->at[from + 1] - f->at[from];
    uint8_t *copy = malloc(size);
    if (!copy)
        return len;
    memcpy(copy, data + f->at[from], size);
    size_t where = f->at[to];
    if (move) {
        len = frames_splice(data, len, room, f->at[from], size, copy, 0);
        where -= to > from ? size : 0;
    }
    len = frames_splice(data, len, room, where, 0, copy, size);
    free(copy);
    return len;
}

/* `data`: an octet that is not the server's, then frames. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room, unsigned seed)
{
    uint32_t state = seed * 2654435761u + 1;
    struct frames f;
    frames_find(&f, data, len > 0, len);
    if (f.count == 0 || frames_random(&state) % PLAIN_ONE_IN == 0)
        return LLVMFuzzerMutate(data, len, room);
    for (uint32_t more = frames_random(&state) % 3 + 1; more > 0; more--) {
        frames_find(&f, data, 1, len);
        if (f.count == 0)
            break;
        size_t one = frames_random(&state) % f.count, two = frames_random(&state) % f.count;
        switch (frames_random(&state) % 8) {
        case 0: data[0] = (uint8_t)frames_random(&state); break;
        case 1: frames_change_head(data + f.at[one], frames_random(&state)); break;
        case 2: len = frames_insert(data, len, room, f.at[one + 1], frames_random(&state)); break;
        case 3: len = frames_copy(data, len, room, &f, one, two, false); break;
        case 4: len = frames_copy(data, len, room, &f, one, two, true); break;
        case 5:
            len = frames_splice(data, len, room, f.at[one], f.at[one + 1] - f.at[one], data, 0);
            break;
        default: len = frames_change_payload(data, len, room, f.at[one]); break;
        }
    }
    return len;
}

#endif
#endif
