// SPDX-License-Identifier: MIT
/* Runs every file of a corpus folder once through a fuzz target: the corpora as a plain test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return -1;
    static uint8_t buf[1 << 20];
    size_t len = fread(buf, 1, sizeof buf, f);
    (void)fclose(f);                        /* only read from */
    uint8_t *exact = malloc(len ? len : 1); /* so that a sanitizer sees the true end */
    if (!exact)
        return -1;
    for (size_t i = 0; i < len; i++)
        exact[i] = buf[i];
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
    if (!dir) {
        (void)fprintf(stderr, "usage: replay CORPUS-FOLDER\n");
        return 2;
    }
    unsigned count = 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        if (e->d_name[0] == '.' || n < 0 || (size_t)n >= sizeof path)
            continue;
        if (replay(path) != 0) {
            perror(path);
            return 1;
        }
        count++;
    }
    (void)closedir(dir);
    printf("%u inputs\n", count);
    return count > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
