/*
 * The sentences of --explain, in English and in Spanish. %1 to %4 stand for what the call had: an address, a number.
 * Each language has those that the other one has, in whatever order (tests/unit/test_sentences.c).
 *
 * Words of the Spanish ones: descriptor, socket, núcleo (kernel), flujo (stream), datagrama, dirección, puerto, búfer, cola
 * de espera (backlog), el otro extremo (peer), orden de red (network byte order).
 */
#ifndef CLI_SENTENCES_H
#define CLI_SENTENCES_H

/* clang-format off */
#define SENTENCES(X)                                                                               \
/* Heads of what follows them. */                                                                  \
X(WIRE, "wire:",                                                                                   \
  "red:")                                                                                          \
X(STATE, "state:",                                                                                 \
  "estado:")                                                                                       \
X(STATE_WAS, "%1 (was %2)",                                                                        \
  "%1 (antes %2)")                                                                                 \
X(STRUCT_GIVEN, "%1, %2 bytes, as the kernel gets it:",                                            \
  "%1, %2 bytes, tal como la recibe el núcleo:")                                                   \
X(STRUCT_FILLED, "%1, %2 bytes, as the kernel fills it in:",                                       \
  "%1, %2 bytes, tal como la rellena el núcleo:")                                                  \
X(STRUCT_REST, "and %1 bytes more",                                                                \
  "y %1 bytes más")                                                                                \
X(ORDER_SWAPPED, "The network has the high byte first: %1 is %2 in hexadecimal, so %3. This "      \
  "machine keeps it as %4, the low byte first; htons(%1) swaps the two.",                          \
  "En la red va primero el byte alto: %1 es %2 en hexadecimal, por tanto %3. Esta máquina lo "     \
  "guarda como %4, primero el byte bajo; htons(%1) intercambia los dos bytes.")                    \
X(ORDER_SAME, "The network has the high byte first: %1 is %2 in hexadecimal, so %3. This machine " \
  "keeps it the same way, so htons(%1) changes nothing.",                                          \
  "En la red va primero el byte alto: %1 es %2 en hexadecimal, por tanto %3. Esta máquina lo "     \
  "guarda igual, así que htons(%1) no cambia nada.")                                               \
/* Names. */                                                                                       \
X(LOOK_UP, "connect needs a number, not a name: the resolver looks for %1 in /etc/hosts and in "   \
  "DNS, and gives a list of addresses. gethostbyname did this before, for IPv4 alone.",            \
  "connect necesita un número, no un nombre: se busca %1 en /etc/hosts y en el DNS, y se obtiene " \
  "una lista de direcciones. Antes lo hacía gethostbyname, solo para IPv4.")                       \
X(LOOK_UP_FAILED, "The name %1 has no address that could be found. gai_strerror gives the text of "\
  "the code; errno says nothing here.",                                                            \
  "No se ha encontrado ninguna dirección para el nombre %1. El texto del código lo da "            \
  "gai_strerror; errno aquí no dice nada.")                                                        \
/* socket. */                                                                                      \
X(SOCKET_TCP, "Asks the kernel for a TCP socket over %1: a stream of bytes, in order, without "    \
  "loss. %2 is its descriptor, a number like that of an open file.",                               \
  "Pide al núcleo un socket TCP sobre %1: un flujo de bytes, en orden y sin pérdidas. %2 es su "   \
  "descriptor, un número como el de un archivo abierto.")                                          \
X(SOCKET_UDP, "Asks the kernel for a UDP socket over %1: datagrams, each one by itself, without "  \
  "a connection. %2 is its descriptor.",                                                           \
  "Pide al núcleo un socket UDP sobre %1: datagramas sueltos, sin conexión. %2 es su descriptor.") \
X(SOCKET_UNIX_STREAM, "Asks the kernel for a UNIX stream socket: it joins processes of this "      \
  "machine, and its address is a path. %1 is its descriptor.",                                     \
  "Pide al núcleo un socket UNIX de flujo: une procesos de esta máquina y su dirección es una "    \
  "ruta. %1 es su descriptor.")                                                                    \
X(SOCKET_UNIX_MESSAGES, "Asks the kernel for a UNIX socket that keeps messages apart: it joins "   \
  "processes of this machine, and its address is a path. %1 is its descriptor.",                   \
  "Pide al núcleo un socket UNIX que conserva los límites de cada mensaje: une procesos de esta "  \
  "máquina y su dirección es una ruta. %1 es su descriptor.")                                      \
X(SOCKET_OTHER, "Asks the kernel for a socket. %1 is its descriptor.",                             \
  "Pide al núcleo un socket. %1 es su descriptor.")                                                \
X(SOCKET_RAW, "Asks the kernel for a raw socket over %1: whole packets of one protocol, without "  \
  "ports. %2 is its descriptor.",                                                                  \
  "Pide al núcleo un socket en bruto (raw) sobre %1: paquetes enteros de un protocolo, sin "       \
  "puertos. %2 es su descriptor.")                                                                 \
X(SOCKET_FLAGS, "SOCK_NONBLOCK: no call on it waits. SOCK_CLOEXEC: a program started with "        \
  "execve does not inherit it.",                                                                   \
  "SOCK_NONBLOCK: ninguna llamada sobre este socket se queda esperando. SOCK_CLOEXEC: un "         \
  "programa iniciado con execve no lo hereda.")                                                    \
/* connect. */                                                                                     \
X(CONNECT, "Asks for a connection to the socket that listens at that address.",                    \
  "Pide una conexión con el socket que escucha en esa dirección.")                                 \
X(CONNECT_STARTED, "EINPROGRESS is no failure: the three-way handshake has begun, and the call "   \
  "does not wait for it (SOCK_NONBLOCK). On a blocking socket connect would not return until it "  \
  "is over.",                                                                                      \
  "EINPROGRESS no es un error: la negociación en tres pasos (three-way handshake) ha empezado y "  \
  "la llamada no espera a que acabe (SOCK_NONBLOCK). En un socket bloqueante, connect no "         \
  "volvería hasta entonces.")                                                                      \
X(CONNECT_FAST, "The answer is there already: within one machine the network takes no time.",      \
  "La respuesta ya ha llegado: dentro de una misma máquina la red no tarda.")                      \
X(CONNECT_DONE, "A second call asks how the first one ended: 0 means connected. From now on "      \
  "both ends can send and receive.",                                                               \
  "Una segunda llamada pregunta cómo acabó la primera: 0 significa que hay conexión. Desde "       \
  "ahora los dos extremos pueden enviar y recibir.")                                               \
X(CONNECT_AT_ONCE, "Connected at once: the connection waits in the server's queue until it calls " \
  "accept.",                                                                                       \
  "Conectado al momento: la conexión espera en la cola del servidor hasta que este llame a "       \
  "accept.")                                                                                       \
X(CONNECT_UDP, "Sends nothing: UDP has no connection. The kernel remembers the address, so that "  \
  "send needs none, and takes datagrams from there alone.",                                        \
  "No envía nada: en UDP no hay conexión. El núcleo recuerda la dirección, así que send no la "    \
  "necesita, y solo acepta datagramas que vengan de allí.")                                        \
X(CONNECT_REFUSED, "ECONNREFUSED: the machine is there, but nothing listens on that port, so "     \
  "its kernel answers the SYN with RST.",                                                          \
  "ECONNREFUSED: la máquina está ahí, pero nadie escucha en ese puerto, y su núcleo contesta al "  \
  "SYN con un RST.")                                                                               \
X(CONNECT_REFUSED_UNIX, "ECONNREFUSED: no process listens there; the file may have been left by "  \
  "a server that has ended.",                                                                      \
  "ECONNREFUSED: ningún proceso escucha ahí; el archivo puede ser de un servidor que ya "          \
  "terminó.")                                                                                      \
X(CONNECT_NO_FILE, "ENOENT: there is no such file. The server makes it, with bind.",               \
  "ENOENT: ese archivo no existe. Lo crea el servidor, con bind.")                                 \
X(CONNECT_NO_ROUTE, "No way leads there: the routing table of this machine, or a router, says so.",\
  "No hay camino hasta allí: lo dice la tabla de rutas de esta máquina o un router.")              \
X(CONNECT_SILENCE, "ETIMEDOUT: the kernel has sent SYN again and again, and nobody has answered.", \
  "ETIMEDOUT: el núcleo ha repetido el SYN una y otra vez y nadie ha respondido.")                 \
X(CONNECT_FULL, "EAGAIN: the server's queue (its backlog) is full.",                               \
  "EAGAIN: la cola de espera del servidor (backlog) está llena.")                                  \
/* getsockname, getpeername. */                                                                    \
X(NAME_CHOSEN, "Asks for the address of this end. Nobody has called bind, so the kernel has "      \
  "chosen it, with a free port.",                                                                  \
  "Pregunta cuál es la dirección de este extremo. Nadie ha llamado a bind, así que la ha "         \
  "elegido el núcleo, con un puerto libre.")                                                       \
X(NAME_NONE, "Asks for the address of this end: it has none, for nobody has called bind. A UNIX "  \
  "client needs no name.",                                                                         \
  "Pregunta cuál es la dirección de este extremo: no tiene, porque nadie ha llamado a bind. Un "   \
  "cliente UNIX no necesita nombre.")                                                              \
X(NAME_BOUND, "Asks for the address that the socket was given.",                                   \
  "Pregunta qué dirección se le ha dado al socket.")                                               \
X(NAME_PORT, "The kernel has chosen port %1.",                                                     \
  "El núcleo ha elegido el puerto %1.")                                                            \
X(NAME_ACCEPTED, "Asks for the local address of the connection: the one that the client has "      \
  "connected to. The port is that of the listening socket.",                                       \
  "Pregunta cuál es la dirección local de la conexión: aquella a la que se ha conectado el "       \
  "cliente. El puerto es el del socket que escucha.")                                              \
X(NAME_PEER, "Asks for the address of the other end.",                                             \
  "Pregunta cuál es la dirección del otro extremo.")                                               \
X(CREDENTIALS, "Asks who is at the other end: a UNIX socket knows the process and its user.",      \
  "Pregunta quién está en el otro extremo: un socket UNIX conoce el proceso y su usuario.")        \
/* setsockopt. */                                                                                  \
X(OPTION_REUSEADDR, "SO_REUSEADDR: bind may take a port that still has old connections in "        \
  "TIME_WAIT. Without it, a server that is started again gets EADDRINUSE for up to a minute.",     \
  "SO_REUSEADDR: bind puede tomar un puerto con conexiones antiguas todavía en TIME_WAIT. Sin "    \
  "esta opción, un servidor que vuelve a arrancar puede recibir EADDRINUSE durante un minuto.")    \
X(OPTION_REUSEPORT, "SO_REUSEPORT: several sockets share the port, and the kernel spreads the "    \
  "clients over them.",                                                                            \
  "SO_REUSEPORT: varios sockets comparten el puerto y el núcleo reparte los clientes entre "       \
  "ellos.")                                                                                        \
X(OPTION_BOTH, "IPV6_V6ONLY off: the socket also takes IPv4 clients, whose addresses then look "   \
  "like ::ffff:a.b.c.d.",                                                                          \
  "IPV6_V6ONLY desactivada: el socket acepta también clientes IPv4, cuyas direcciones se ven "     \
  "como ::ffff:a.b.c.d.")                                                                          \
X(OPTION_V6ONLY, "IPV6_V6ONLY on: IPv6 alone; an IPv4 socket may have the same port.",             \
  "IPV6_V6ONLY activada: solo IPv6; un socket IPv4 puede tener el mismo puerto.")                  \
X(OPTION_NODELAY, "TCP_NODELAY: small segments leave at once instead of waiting for more "         \
  "(Nagle's algorithm is off).",                                                                   \
  "TCP_NODELAY: los segmentos pequeños salen enseguida, sin esperar a tener más (se desactiva el " \
  "algoritmo de Nagle).")                                                                          \
X(OPTION_LINGER, "SO_LINGER with 0 seconds: close will send RST instead of FIN.",                  \
  "SO_LINGER con 0 segundos: close enviará RST en lugar de FIN.")                                  \
X(OPTION_BROADCAST, "SO_BROADCAST: allows sending to a broadcast address.",                        \
  "SO_BROADCAST: permite enviar a una dirección de difusión (broadcast).")                         \
X(OPTION_KEEPALIVE, "SO_KEEPALIVE: the kernel probes a silent peer, so that a dead one is "        \
  "noticed.",                                                                                      \
  "SO_KEEPALIVE: el núcleo sondea al otro extremo cuando calla, para saber si sigue ahí.")         \
X(OPTION_BUFFER, "SO_RCVBUF and SO_SNDBUF: how many bytes the kernel may hold that have not "      \
  "been read, or not been sent, yet.",                                                             \
  "SO_RCVBUF y SO_SNDBUF: cuántos bytes puede guardar el núcleo a la espera de que se lean o se "  \
  "envíen.")                                                                                       \
X(OPTION_OTHER, "Sets an option of the socket.",                                                   \
  "Cambia una opción del socket.")                                                                 \
X(JOIN, "Joins a multicast group: its datagrams come to this machine from now on (IGMP, or MLD "   \
  "for IPv6, tells the routers).",                                                                 \
  "Entra en un grupo de multidifusión (multicast): desde ahora sus datagramas llegan a esta "      \
  "máquina (IGMP, o MLD en IPv6, avisa a los routers).")                                           \
/* bind, listen, accept. */                                                                        \
X(BIND_INET, "Gives the socket its address and port, where clients find it.",                      \
  "Da al socket su dirección y su puerto, donde lo encontrarán los clientes.")                     \
X(BIND_LOCAL, "Chooses the address or port of this end, which connect would do otherwise.",        \
  "Elige la dirección o el puerto de este extremo; si no, lo haría connect.")                      \
X(BIND_ANY, "%1 is every address of this machine, so clients may come from any network.",          \
  "%1 equivale a todas las direcciones de esta máquina: los clientes pueden llegar desde "         \
  "cualquier red.")                                                                                \
X(BIND_LOOPBACK, "%1 is this machine itself: nobody else can connect.",                            \
  "%1 es esta misma máquina: nadie de fuera puede conectarse.")                                    \
X(BIND_PORT_0, "Port 0 lets the kernel choose a free one; getsockname tells which.",               \
  "El puerto 0 deja que el núcleo elija uno libre; getsockname dice cuál.")                        \
X(BIND_UNIX, "Makes the socket file. It holds no data: it is the name by which clients find the "  \
  "server, and stays when the server ends, unless it calls unlink.",                               \
  "Crea el archivo del socket. No guarda datos: es el nombre con el que los clientes encuentran "  \
  "al servidor, y permanece cuando este termina, salvo que llame a unlink.")                       \
X(BIND_ABSTRACT, "The first byte of the path is NUL: an abstract name, without a file, that goes " \
  "with its socket.",                                                                              \
  "El primer byte de la ruta es NUL: un nombre abstracto, sin archivo, que desaparece con su "     \
  "socket.")                                                                                       \
X(BIND_IN_USE, "EADDRINUSE: another socket has that address, or, without SO_REUSEADDR, a "         \
  "connection in TIME_WAIT.",                                                                      \
  "EADDRINUSE: otro socket tiene esa dirección o, sin SO_REUSEADDR, una conexión en TIME_WAIT.")   \
X(BIND_DENIED, "EACCES: only the administrator may take a port below 1024.",                       \
  "EACCES: los puertos por debajo del 1024 están reservados al administrador.")                    \
X(BIND_UNIX_EXISTS, "EADDRINUSE: there is a file of that name already, perhaps left by a server "  \
  "that has ended. bind does not replace it.",                                                     \
  "EADDRINUSE: ya hay un archivo con ese nombre, quizá de un servidor que ya terminó. bind no "    \
  "lo sustituye.")                                                                                 \
X(BIND_UNIX_DENIED, "EACCES: this user may not make a file in that directory.",                    \
  "EACCES: este usuario no puede crear archivos en ese directorio.")                               \
X(BIND_NOT_OURS, "EADDRNOTAVAIL: no interface of this machine has that address.",                  \
  "EADDRNOTAVAIL: ninguna interfaz de esta máquina tiene esa dirección.")                          \
X(LISTEN, "From now on the kernel takes connections by itself, and keeps them in a queue, the "    \
  "backlog, until accept. %1 may wait there.",                                                     \
  "Desde ahora el núcleo acepta conexiones por sí mismo y las guarda en una cola de espera "       \
  "(backlog) hasta que se llame a accept. Caben %1.")                                              \
X(LISTEN_CAPPED, "%1 were asked for: the kernel allows no more (net.core.somaxconn).",             \
  "Se pidieron %1: el núcleo no permite más (net.core.somaxconn).")                                \
X(ACCEPT, "Takes the first connection from the queue. It has a socket of its own, %1, by which "   \
  "its bytes go; %2 goes on listening.",                                                           \
  "Saca de la cola la primera conexión. Tiene su propio socket, el %1, por el que van sus bytes; " \
  "el %2 sigue escuchando.")                                                                       \
X(ACCEPT_HANDSHAKE, "The three-way handshake was over before accept was called: the kernel does "  \
  "it.",                                                                                           \
  "La negociación en tres pasos ya había terminado antes de llamar a accept: la hace el núcleo.")  \
X(ACCEPT_FLAGS, "accept4 is accept with flags for the new socket, which does not inherit those "   \
  "of the listening one.",                                                                         \
  "accept4 es accept con opciones para el nuevo socket, que no hereda las del que escucha.")       \
X(ACCEPT_ENDED, "CLOSE_WAIT: the client has sent its bytes and its FIN meanwhile; they wait here.",\
  "CLOSE_WAIT: entretanto el cliente ha enviado sus bytes y su FIN, que esperan aquí.")            \
X(ACCEPT_UNNAMED, "The client's address has no path: the client has not called bind.",             \
  "La dirección del cliente no tiene ruta: el cliente no ha llamado a bind.")                      \
X(ACCEPT_AGAIN, "EAGAIN: the queue is empty. A blocking accept would wait; here epoll_wait tells " \
  "when a client comes, and other sockets are served meanwhile.",                                  \
  "EAGAIN: la cola está vacía. Un accept bloqueante esperaría; aquí epoll_wait avisa cuando llega "\
  "un cliente y, mientras tanto, se atienden otros sockets.")                                      \
X(DONTWAIT, "MSG_DONTWAIT: this call does not wait.",                                              \
  "MSG_DONTWAIT: esta llamada no espera.")                                                         \
/* send. */                                                                                        \
X(SEND, "Copies the bytes to the kernel's send buffer and returns how many it took. That says "    \
  "nothing about whether the peer has read them. MSG_NOSIGNAL: if the peer is gone, EPIPE "        \
  "instead of the signal SIGPIPE.",                                                                \
  "Copia los bytes al búfer de envío del núcleo y devuelve cuántos han cabido. No dice nada de si "\
  "el otro extremo los ha leído. MSG_NOSIGNAL: si el otro se ha ido, EPIPE en lugar de la señal "  \
  "SIGPIPE.")                                                                                      \
X(SEND_SHORT, "Only %1 of %2: the buffer was full. The rest must be sent by another call.",        \
  "Solo %1 de %2: el búfer se llenó. El resto hay que enviarlo con otra llamada.")                 \
X(SEND_DATAGRAM, "One call, one datagram. It arrives whole or not at all, and nobody says which.", \
  "Una llamada, un datagrama. Llega entero o no llega, y nadie avisa.")                            \
X(SENDTO, "sendmsg and sendto name the receiver in each call: one socket serves all clients.",     \
  "sendmsg y sendto nombran al destinatario en cada llamada: un solo socket atiende a todos los "  \
  "clientes.")                                                                                     \
X(SEND_SEGMENTS, "UDP_SEGMENT: one call for several datagrams of %1 bytes each.",                  \
  "UDP_SEGMENT: una sola llamada para varios datagramas de %1 bytes cada uno.")                    \
X(SEND_OOB, "MSG_OOB: urgent data; TCP marks the place in the stream.",                            \
  "MSG_OOB: datos urgentes; TCP señala su lugar en el flujo.")                                     \
X(SEND_AGAIN, "EAGAIN: the send buffer is full, for the peer does not read. A blocking send "      \
  "would wait; here epoll_wait tells when there is room.",                                         \
  "EAGAIN: el búfer de envío está lleno porque el otro extremo no lee. Un send bloqueante "        \
  "esperaría; aquí epoll_wait avisa cuando vuelve a haber sitio.")                                 \
X(SEND_PIPE, "EPIPE: the connection cannot be written to any more; the peer has gone.",            \
  "EPIPE: ya no se puede escribir en la conexión; el otro extremo se ha ido.")                     \
X(SEND_TOO_LONG, "EMSGSIZE: this is longer than the longest datagram that can be sent.",           \
  "EMSGSIZE: un datagrama tiene un tamaño máximo, y este lo supera.")                              \
/* recv. */                                                                                        \
X(RECV, "Takes what is in the kernel's receive buffer, at most %1 bytes; there were %2. A "        \
  "stream does not keep sends apart: this may be part of what the peer sent in one call, or the "  \
  "sum of several.",                                                                               \
  "Toma lo que hay en el búfer de recepción del núcleo, %1 bytes como máximo; había %2. Un "       \
  "flujo no separa los envíos: esto puede ser parte de lo que el otro extremo envió en una "       \
  "llamada, o la suma de varias.")                                                                 \
X(RECV_PEEK, "MSG_PEEK: looks at the bytes, which stay in the buffer for the next recv.",          \
  "MSG_PEEK: mira los bytes, que siguen en el búfer para el recv siguiente.")                      \
X(RECV_DATAGRAM, "One call, one datagram, however many more are waiting.",                         \
  "Una llamada, un datagrama, por muchos más que haya esperando.")                                 \
X(RECV_FROM, "recvmsg, like recvfrom, tells who sent it: that is where an answer goes.",           \
  "recvmsg, como recvfrom, dice quién lo envió: ahí se manda la respuesta.")                       \
X(RECV_EMPTY, "An empty datagram: for datagrams 0 is not the end.",                                \
  "Un datagrama vacío: con datagramas, 0 no es el final.")                                         \
X(RECV_END, "0 is the end of the stream, not an error: the peer has called shutdown or close, "    \
  "and all that it sent has been read.",                                                           \
  "0 es el final del flujo, no un error: el otro extremo ha llamado a shutdown o close y ya se ha "\
  "leído todo lo que envió.")                                                                      \
X(RECV_END_HALF, "One direction has ended; the other is open: this end may still send.",           \
  "Ha terminado un sentido; el otro sigue abierto: este extremo aún puede enviar.")                \
X(RECV_END_BOTH, "Both directions have ended now.",                                                \
  "Ahora han terminado los dos sentidos.")                                                         \
X(RECV_AGAIN, "EAGAIN: nothing has arrived yet; it is not the end, which is 0. A blocking recv "   \
  "would wait; here epoll_wait tells when something comes.",                                       \
  "EAGAIN: todavía no ha llegado nada; no es el final, que es 0. Un recv bloqueante esperaría; "   \
  "aquí epoll_wait avisa cuando llega algo.")                                                      \
X(RECV_RESET, "ECONNRESET: the peer has broken the connection off: it closed the socket with "     \
  "data unread, or on purpose. What was on its way may be lost.",                                  \
  "ECONNRESET: el otro extremo ha cortado la conexión: cerró el socket con datos sin leer, o lo "  \
  "hizo a propósito. Lo que estaba en camino puede perderse.")                                     \
X(RECV_GONE, "0 does not say here that the peer has ended: the connection was broken off "         \
  "before.",                                                                                       \
  "Aquí 0 no dice que el otro extremo haya terminado: la conexión se había cortado antes.")        \
X(PENDING, "SO_ERROR: the error that came over the network, and waited at the socket. It is "      \
  "given once: whoever asks for it takes it.",                                                     \
  "SO_ERROR: el error que llegó por la red y esperaba en el socket. Se da una sola vez: quien "    \
  "pregunta se lo lleva.")                                                                         \
X(RECV_REFUSED, "ECONNREFUSED: an earlier datagram found no socket on that port; the other "       \
  "machine said so by ICMP.",                                                                      \
  "ECONNREFUSED: un datagrama anterior no encontró ningún socket en ese puerto; la otra máquina "  \
  "lo dijo por ICMP.")                                                                             \
X(RECV_SILENCE, "ETIMEDOUT: the kernel has sent again and again, and nobody has acknowledged it.", \
  "ETIMEDOUT: el núcleo ha reenviado una y otra vez y nadie lo ha confirmado.")                    \
X(RECV_DISCARD, "MSG_TRUNC: the bytes are counted and thrown away, for nobody wants them.",        \
  "MSG_TRUNC: los bytes se cuentan y se descartan, porque nadie los quiere.")                      \
X(SPLICE, "splice moves bytes within the kernel, without a buffer of the program; it stands for "  \
  "the calls in parentheses.",                                                                     \
  "splice mueve bytes dentro del núcleo, sin pasar por un búfer del programa; hace las veces de "  \
  "las llamadas entre paréntesis.")                                                                \
/* shutdown, close. */                                                                             \
X(SHUTDOWN_WR, "Half-close: this end sends nothing more, and the peer's recv will return 0 "       \
  "after the last byte. It can still receive, and the descriptor stays open.",                     \
  "Cierre parcial (half-close): este extremo ya no envía más, y el recv del otro devolverá 0 "     \
  "tras el último byte. Todavía puede recibir, y el descriptor sigue abierto.")                    \
X(SHUTDOWN_LAST, "Ends the second direction; the peer had ended the first.",                       \
  "Cierra el segundo sentido; el primero lo había cerrado el otro extremo.")                       \
X(SHUTDOWN_OTHER, "Ends the receiving direction; the descriptor stays open.",                      \
  "Cierra el sentido de recepción; el descriptor sigue abierto.")                                  \
X(SHUTDOWN_GONE, "ENOTCONN: there is no connection any more.",                                     \
  "ENOTCONN: ya no hay conexión.")                                                                 \
X(TIME_WAIT_HERE, "TIME_WAIT: this end ended first: its kernel keeps the two addresses and "       \
  "ports for a minute, so that late segments cannot reach a new connection. ss -tan shows it.",    \
  "TIME_WAIT: este extremo terminó primero, así que su núcleo conserva las dos direcciones, con "  \
  "sus puertos, durante un minuto, para que ningún segmento rezagado llegue a una conexión "       \
  "nueva. Se ve con ss -tan.")                                                                     \
X(TIME_WAIT_THERE, "The peer ended first, so TIME_WAIT is on its side; nothing is left here.",     \
  "El otro extremo terminó primero, así que TIME_WAIT queda de su lado; aquí no queda nada.")      \
X(CLOSE_FREE, "Descriptor %1 is free: the next socket or file may get the same number.",           \
  "El descriptor %1 queda libre: el próximo socket o archivo puede recibir el mismo número.")      \
X(CLOSE_DONE, "Both directions had ended: nothing goes over the wire.",                            \
  "Los dos sentidos ya habían terminado: no viaja nada por la red.")                               \
X(CLOSE_BOTH, "close without shutdown ends both directions: the peer will read 0, and what it "    \
  "still sends is answered by RST.",                                                               \
  "close sin shutdown termina los dos sentidos: el otro extremo leerá 0, y a lo que aún envíe "    \
  "se le contestará con RST.")                                                                     \
X(CLOSE_LAST, "close ends the second direction as well.",                                          \
  "close termina también el segundo sentido.")                                                     \
X(CLOSE_UNREAD, "There were bytes that nobody had read: the kernel sends RST, not FIN, so that "   \
  "the peer knows.",                                                                               \
  "Había bytes que nadie había leído: el núcleo envía RST en vez de FIN, para que el otro extremo "\
  "lo sepa.")                                                                                      \
X(CLOSE_RESET, "SO_LINGER is set to 0 seconds: the connection is broken off, and the peer's "      \
  "recv will fail with ECONNRESET.",                                                               \
  "SO_LINGER está a 0 segundos: la conexión se corta, y el recv del otro extremo fallará con "     \
  "ECONNRESET.")                                                                                   \
X(CLOSE_BROKEN, "The connection had been broken off: nothing goes over the wire.",                 \
  "La conexión ya se había cortado: no viaja nada por la red.")                                    \
X(CLOSE_ORPHAN, "This end had sent its FIN; the kernel alone waits for the peer's.",               \
  "Este extremo ya había enviado su FIN; el núcleo espera por su cuenta el del otro.")             \
X(CLOSE_LISTENER, "No more clients can connect: a SYN is answered with RST from now on, and "      \
  "what waited in the queue is broken off.",                                                       \
  "Ya no puede conectarse nadie más: desde ahora se contesta al SYN con RST, y lo que esperaba "   \
  "en la cola se corta.")                                                                          \
X(CLOSE_NO_ANSWER, "Given up: neither SYN+ACK nor RST has come. Times that SYN was sent again: "   \
  "%1.",                                                                                           \
  "Se abandona: no ha llegado ni SYN+ACK ni RST. Veces que se ha repetido el SYN: %1.")            \
X(CLOSE_UNCONNECTED, "There was no connection to end.",                                            \
  "No había ninguna conexión que terminar.")                                                       \
X(CLOSE_UNIX, "The peer, if there is one, will read 0.",                                           \
  "El otro extremo, si lo hay, leerá 0.")                                                          \
X(CLOSE_ELSEWHERE, "Another process has the socket, too, and the connection lives as long as one " \
  "of them does.",                                                                                 \
  "Otro proceso también tiene el socket, y la conexión vive mientras alguno lo tenga.")            \
X(UNLINK, "Removes the socket file: clients no longer find the server by it.",                     \
  "Borra el archivo del socket: por él ya no encontrará nadie al servidor.")                       \
/* Processes. */                                                                                   \
X(FORK, "Makes a second process, a copy of this one with the same descriptors. Here it returns "   \
  "the child's number, %1; in the child, 0.",                                                      \
  "Crea un segundo proceso, copia de este y con los mismos descriptores. Aquí devuelve el número " \
  "del hijo, %1; en el hijo, 0.")                                                                  \
X(FORK_WORKER, "The child accepts from the same listening socket: the kernel gives each client "   \
  "to one of the processes.",                                                                      \
  "El hijo acepta clientes del mismo socket que escucha: el núcleo entrega cada cliente a uno "    \
  "de los procesos.")                                                                              \
X(EXEC, "The child becomes another program; it keeps its number and the descriptors that are "     \
  "not close-on-exec, such as stdin and stdout.",                                                  \
  "El hijo pasa a ser otro programa; conserva su número y los descriptores sin FD_CLOEXEC, como "  \
  "la entrada y la salida estándar.")                                                              \
X(EXEC_FAILED, "The program could not be started.",                                                \
  "No se ha podido iniciar el programa.")                                                          \
X(WAIT, "Takes the status of the child that has ended. Until somebody does, it is a zombie: it "   \
  "has ended, but the kernel keeps its number and status. The signal SIGCHLD tells when.",         \
  "Recoge el estado del hijo que ha terminado. Mientras nadie lo recoge es un zombi: ha "          \
  "acabado, pero el núcleo guarda su número y su estado. La señal SIGCHLD avisa de que toca "      \
  "hacerlo.")                                                                                      \
/* What is in the bytes. */                                                                        \
X(FRAME, "The frame: a stream does not keep messages apart, so each one has its length in front.", \
  "La trama: un flujo no separa los mensajes, así que cada uno lleva delante su longitud.")        \
X(FRAME_NATIVE, "length %1, the NUL included",                                                     \
  "longitud %1, contando el NUL")                                                                  \
X(FRAME_BIG, "length %1, in network order",                                                        \
  "longitud %1, en orden de red")                                                                  \
X(FRAME_ORDER, "The length is in this machine's byte order, for the bytes never leave the "        \
  "machine.",                                                                                      \
  "La longitud va en el orden de bytes de esta máquina, porque los mensajes no salen de ella.")    \
X(FRAME_NUL, "NUL, the end of a string in C",                                                      \
  "NUL, el final de una cadena en C")                                                              \
X(HTTP_REQUEST, "The request is text: method, path and version in the first line, then one "       \
  "field per line; CR LF (\\r\\n) ends each line, and an empty one ends the fields.",              \
  "La petición es texto: método, ruta y versión en la primera línea; después, un campo por "       \
  "línea. Cada línea acaba en CR LF (\\r\\n), y una vacía pone fin a los campos.")                 \
X(HTTP_ANSWER, "The answer is text as well: version and status, fields, an empty line; then the "  \
  "body.",                                                                                         \
  "La respuesta también es texto: versión y estado, campos y una línea vacía; después, el "        \
  "cuerpo.")                                                                                       \
X(FAILED, "-1 says that the call has failed; errno says why.",                                     \
  "-1 indica que la llamada ha fallado; errno, por qué.")
/* clang-format on */

#define SENTENCE_ID(name, en, es) SAY_##name,
enum sentence { SENTENCES(SENTENCE_ID) SAY_COUNT };
#undef SENTENCE_ID

enum language { LANGUAGE_EN, LANGUAGE_ES, LANGUAGE_COUNT };

/* Returns the sentence, in UTF-8. */
const char *sentence_text(enum sentence sentence, enum language language);

/* Returns the language of SOCKCTL_LANG or, without that, of the locale of messages: Spanish or, for all others, English. */
enum language sentence_language(void);

#endif
