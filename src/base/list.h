/*
 * An intrusive doubly linked list: the items have a `struct list_node` each, and the list allocates nothing. It
 * keeps pointers to them and owns none. An item is in at most one list by the same node.
 */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *previous, *next;
};

/* A list, which is empty while it is all zero. `count` is the number of items. */
struct list {
    struct list_node *first, *last;
    size_t count;
};

/* Puts a node that is in no list at the end. */
void list_append(struct list *list, struct list_node *node);

/* Puts a node that is in no list before another that is in this one; at the end where that is NULL. */
void list_insert(struct list *list, struct list_node *node, struct list_node *before);

/* Takes a node out of the list that it is in. */
void list_remove(struct list *list, struct list_node *node);

/* Returns the item whose node is `offset` bytes into it; NULL where there is no node. */
static inline void *list_item(struct list_node *node, size_t offset)
{
    return node ? (char *)node - offset : NULL;
}

/* The item of type `type` that has `node` as its member `member`, and its neighbours; NULL for none. */
#define LIST_ITEM(node, type, member) ((type *)list_item(node, offsetof(type, member)))
#define LIST_FIRST(list, type, member) LIST_ITEM((list)->first, type, member)
#define LIST_NEXT(item, type, member) LIST_ITEM((item)->member.next, type, member)

/* Goes through all items, from the first to the last; the body may remove the one it is at, and no other. */
#define LIST_EACH(type, item, list, member)                                                        \
    for (type *item = LIST_FIRST(list, type, member), *item##_next;                                \
         item && (item##_next = LIST_NEXT(item, type, member), true); item = item##_next)

#endif
