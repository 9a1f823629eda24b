/*
 * An empty list is two NULL pointers, and the ends of the others point nowhere: nothing has to be initialized, and a list
 * may be moved while it is empty.
 */
#include "base/list.h"

void list_insert(struct list *list, struct list_node *node, struct list_node *before)
{
    node->next = before;
    node->previous = before ? before->previous : list->last;
    if (node->previous)
        node->previous->next = node;
    else
        list->first = node;
    if (node->next)
        node->next->previous = node;
    else
        list->last = node;
    list->count++;
}

void list_append(struct list *list, struct list_node *node)
{
    list_insert(list, node, NULL);
}

void list_remove(struct list *list, struct list_node *node)
{
    if (node->previous)
        node->previous->next = node->next;
    else
        list->first = node->next;
    if (node->next)
        node->next->previous = node->previous;
    else
        list->last = node->previous;
    *node = (struct list_node){0};
    list->count--;
}
