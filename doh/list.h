/* SPDX-License-Identifier: MIT */
/* Intrusive doubly linked lists. An item that is in no list points to itself, so that taking it out
 * twice is harmless. */
#ifndef DOH_LIST_H
#define DOH_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct doh_list {
    struct doh_list *prev, *next;
};

#define DOH_ITEM(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void doh_list_init(struct doh_list *list)
{
    list->prev = list->next = list;
}

static inline bool doh_list_empty(const struct doh_list *list)
{
    return list->next == list;
}

static inline void doh_list_remove(struct doh_list *item)
{
    item->prev->next = item->next;
    item->next->prev = item->prev;
    doh_list_init(item);
}

/* Before `place`: at the end when that is the list's head. The item must be in no list. */
static inline void doh_list_insert(struct doh_list *place, struct doh_list *item)
{
    item->next = place;
    item->prev = place->prev;
    place->prev->next = item;
    place->prev = item;
}

static inline void doh_list_append(struct doh_list *list, struct doh_list *item)
{
    doh_list_insert(list, item);
}

static inline void doh_list_prepend(struct doh_list *list, struct doh_list *item)
{
    doh_list_insert(list->next, item);
}

/* Moves all of `from` behind what `to` holds. */
static inline void doh_list_move(struct doh_list *to, struct doh_list *from)
{
    while (!doh_list_empty(from)) {
        struct doh_list *item = from->next;
        doh_list_remove(item);
        doh_list_append(to, item);
    }
}

#endif
