// SPDX-License-Identifier: MIT
#include "validate/trace.h"

void val_trace_add(struct val_trace *trace, const struct val_trace_step *step)
{
    if (trace && trace->count < VAL_TRACE_MAX)
        trace->step[trace->count++] = *step;
}
