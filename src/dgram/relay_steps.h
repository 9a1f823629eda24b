/*
 * Inside a datagram relay: shared by datagram.c, which waits, datagram_send.c and
 * datagram_receive.c. Nobody else includes it.
 */
#ifndef DGRAM_RELAY_STEPS_H
#define DGRAM_RELAY_STEPS_H

#include "dgram/relay.h"

/* It is over; the relay may be gone afterwards. */
void datagram_finish(struct datagram_relay *relay, int result);
/* "WHAT PEER: errno's message". */
void datagram_fail(struct datagram_relay *relay, const char *what);
void datagram_await(struct datagram_relay *relay);
void datagram_note_move(struct datagram_relay *relay);
/* There is somebody to be sent to, who has not lost the right to speak to us meanwhile. */
bool datagram_has_peer(const struct datagram_relay *relay);
/* … and can be, now. */
bool datagram_can_send(const struct datagram_relay *relay);

/* A datagram has been read, and not sent yet. */
bool datagram_waits(const struct datagram_relay *relay);
void datagram_read(struct datagram_relay *relay);
void datagram_send(struct datagram_relay *relay);
void datagram_receive(struct datagram_socket *socket);
/* All has been written, and nothing more is to come. */
bool datagram_is_over(const struct datagram_relay *relay);

/* A filter has to be waited for before it is given more. */
bool datagram_is_held(const struct filter *filter);

/* Before the first datagram. */
void datagram_open_output(struct datagram_relay *relay);
void datagram_allow_segments(struct datagram_relay *relay);

#endif
