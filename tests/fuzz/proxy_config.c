// SPDX-License-Identifier: MIT
/* Whatever the file says, config_read() ends, and a refusal says why. */
#include "proxy/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static char path[64];
    if (!path[0])
        (void)snprintf(path, sizeof path, "/tmp/veridoh-fuzz-config-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file)
        return 0;
    size_t written = fwrite(data, 1, len, file);
    if (fclose(file) != 0 || written != len)
        return 0;
    char *errors = NULL;
    size_t errors_len = 0;
    FILE *out = open_memstream(&errors, &errors_len);
    if (!out)
        return 0;
    struct config *config = config_read(path, out);
    (void)fclose(out);
    if (!config && !strstr(errors, "error: "))
        abort();
    config_free(config);
    free(errors);
    (void)unlink(path);
    return 0;
}
