/*
 * Answers to datagrams: when they leave, in which order, and what becomes of those for whom there is no room.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dgram/send_queue.h"

enum { DELAYED_BYTES = 4 << 20, DELAYED_COST = 256 };

static int tests, failures;
static char bytes[1 << 16];

static void check(bool good, const char *what)
{
    failures += !good;
    printf("%s %d - %s\n", good ? "ok" : "not ok", ++tests, what);
}

/* A UNIX datagram socket with a name that the kernel has chosen. */
static int open_socket(struct sockname *name)
{
    const struct sockname any = {.storage.ss_family = AF_UNIX, .length = sizeof(sa_family_t)};
    int fd = sock_open(AF_UNIX, SOCK_DGRAM, 0);
    if (sock_bind(fd, &any) < 0 || sock_name(fd, name) < 0)
        perror("bind");
    return fd;
}

static bool answer(struct send_queue *queue, int fd, const struct sock_message *message, char byte,
                   int64_t due_ms)
{
    const struct send_answer to_send = {fd, message, &byte, 1};
    return send_queue_answer(queue, &to_send, due_ms);
}

/* The first bytes of what has come. */
static const char *received(int fd)
{
    static char text[1024];
    size_t count = 0;
    while (count < sizeof text - 1 && sock_recv(fd, text + count, 1) == 1)
        count++;
    text[count] = '\0';
    return text;
}

int main(void)
{
    struct loop *loop = loop_new();
    struct send_queue queue;
    struct sock_message to = {.control_length = 0}, to_silent = {.control_length = 0};
    struct sockname own;
    int fd = open_socket(&own);
    int client = open_socket(&to.peer);
    int silent = open_socket(&to_silent.peer);
    send_queue_init(&queue, loop);

    int64_t now_ms = loop_now_ms();
    answer(&queue, fd, &to, 'd', now_ms + 300);
    answer(&queue, fd, &to, 'b', now_ms + 200);
    answer(&queue, fd, &to, 'c', now_ms + 200);
    answer(&queue, fd, &to, 'a', 0);
    check(strcmp(received(client), "a") == 0, "what is due leaves at once");
    loop_await(loop, 240, NULL);
    check(strncmp(received(client), "bc", 2) == 0, "the others when they are due, in their order");
    loop_await(loop, 150, NULL);
    check(queue.delayed.entries.count == 0 && queue.delayed.bytes == 0, "nothing waits");

    const struct send_answer large = {fd, &to, bytes, sizeof bytes};
    size_t count = 0;
    received(client);
    while (send_queue_answer(&queue, &large, loop_now_ms() + 60000))
        count++;
    check(count == DELAYED_BYTES / (sizeof bytes + DELAYED_COST), "what is delayed is bounded");
    check(!send_queue_can_delay(&queue, sizeof bytes), "and one can ask before");
    check(answer(&queue, fd, &to, 'e', 0) && strcmp(received(client), "e") == 0,
          "what is due needs no room there");
    send_queue_forget(&queue, fd + 1);
    check(queue.delayed.entries.count == count, "of another socket nothing is forgotten");
    send_queue_forget(&queue, fd);
    check(queue.delayed.entries.count == 0, "of this one all");

    size_t taken = 0;
    for (int i = 0; i < 1000; i++)
        taken += answer(&queue, fd, &to_silent, 's', 0);
    check(taken < 1000 && queue.waiting.entries.count == 128, "what waits for one is bounded");
    check(answer(&queue, fd, &to, 'f', 0) && strcmp(received(client), "f") == 0,
          "one who does not read delays nobody else");
    size_t before = strlen(received(silent));
    loop_await(loop, 20, NULL);
    check(before && queue.waiting.entries.count < 128, "when it reads, more comes");

    send_queue_release(&queue);
    check(queue.waiting.bytes == 0 && !loop_timer_is_set(&queue.again), "nothing is left");
    close(fd);
    close(client);
    close(silent);
    loop_free(loop);
    printf("1..%d\n", tests);
    return failures != 0;
}
