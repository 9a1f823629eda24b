#!/usr/bin/env bats
# -vv and -vvv: each call as a student of the sockets API reads it.

load helpers/common

refute() { if "$@"; then return 1; fi; }
call() { assert_errors "^sockctl: $1\$"; }

@test "18.1: a client: flags, struct sockaddr, data, counts" {
    start echo "$SOCKCTL" echo-server 127.0.0.1:0
    listening echo
    TRY_STDIN=<(printf 'a"\\\t\r\n\0\377') try "$SOCKCTL" connect -vv "$ADDR"
    assert_status 0
    call 'socket\(AF_INET, SOCK_STREAM\|SOCK_NONBLOCK\|SOCK_CLOEXEC, 0\) = 5'
    call "connect\(5, \{AF_INET, 127\.0\.0\.1, port $PORT\}, 16\) = -1 EINPROGRESS \(.*\)"
    call "connect\(5, \{AF_INET, 127\.0\.0\.1, port $PORT\}, 16\) = 0"
    call 'getsockname\(5, \{AF_INET, 127\.0\.0\.1, port [0-9]+\}, \[16\]\) = 0'
    call 'send\(5, "a\\"\\\\\\t\\r\\n\\x00\\xff", 8, MSG_DONTWAIT\|MSG_NOSIGNAL\) = 8'
    call 'shutdown\(5, SHUT_WR\) = 0'
    call 'recv\(5, "", 65536, MSG_DONTWAIT\) = 0'
    call 'close\(5\) = 0'
    refute grep -E 'EAGAIN|SO_ERROR|SIOCOUTQ|SO_PROTOCOL|OOBINLINE|read\(|write\(' try.err
}

@test "18.1: -vvv has the housekeeping, and stdin and stdout" {
    start echo "$SOCKCTL" echo-server 127.0.0.1:0
    listening echo
    TRY_STDIN=<(printf hi) try "$SOCKCTL" connect -vvv "$ADDR"
    assert_output hi
    call 'read\([0-9]+, "hi", [0-9]+\) = 2'
    call 'write\([0-9]+, "hi", 2\) = 2'
    call 'ioctl\(5, SIOCOUTQ, \[0\]\) = 0'
    call 'getsockopt\(5, SOL_SOCKET, SO_ERROR, \[0\], \[4\]\) = 0'
    call 'getsockopt\(5, SOL_SOCKET, SO_PROTOCOL, \[6\], \[4\]\) = 0'
}

@test "18.1: a server: IPv6, both families, a new socket for each client, 32 bytes of data" {
    need_ipv6
    start server "$SOCKCTL" listen -vv 0
    listening server
    seq 100 | head -c 33 >data
    TRY_STDIN=data try "$SOCKCTL" connect ::1 "$PORT"
    finish server
    assert_status 0
    call 'socket\(AF_INET6, SOCK_STREAM\|SOCK_NONBLOCK\|SOCK_CLOEXEC, 0\) = 5'
    call 'setsockopt\(5, IPPROTO_IPV6, IPV6_V6ONLY, \[0\], 4\) = 0'
    call 'bind\(5, \{AF_INET6, ::, port 0\}, 28\) = 0'
    call 'listen\(5, [0-9]+\) = 0'
    call 'accept4\(5, \{AF_INET6, ::1, port [0-9]+\}, \[28\], SOCK_NONBLOCK\|SOCK_CLOEXEC\) = [0-9]+'
    refute grep 'accept4(.*EAGAIN' server.err
}

@test "18.1: more data than is shown; IPv4 to a server of both families" {
    start server "$SOCKCTL" echo-server -vv 0
    listening server
    seq 100 | head -c 33 >data
    TRY_STDIN=data try "$SOCKCTL" connect 127.0.0.1 "$PORT"
    stop server
    call 'recv\(.*, "1\\n2\\n3\\n4\\n5\\n6\\n7\\n8\\n9\\n10\\n11\\n12\\n13\\n14"\.\.\., [0-9]+, MSG_DONTWAIT\) = 33'
    call 'accept4\(5, \{AF_INET6?, (::ffff:)?127\.0\.0\.1, port [0-9]+\}, .*'
}

@test "18.1: UNIX sockets and their file" {
    start server "$SOCKCTL" unix-serve -vv ./s
    listening server
    try "$SOCKCTL" unix-send ./s hola quit
    finish server
    assert_status 0
    call 'bind\(5, \{AF_UNIX, "\./s"\}, 6\) = 0'
    call 'accept4\(5, \{AF_UNIX\}, \[2\], SOCK_NONBLOCK\|SOCK_CLOEXEC\) = [0-9]+'
    call 'recv\(.*"\\x05\\x00\\x00\\x00hola\\x00.*'
    call 'unlink\("\./s"\) = 0'
    try "$SOCKCTL" connect -vv unix:@sockctl-nobody
    call 'connect\(5, \{AF_UNIX, "@sockctl-nobody"\}, 17\) = -1 ECONNREFUSED \(Connection refused\)'
}

@test "18.1: datagrams: whose they are, and what is in them" {
    start server "$SOCKCTL" echo-server -u -vv 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect -u -vv -W1 "$ADDR"
    assert_output hi
    stop server
    call 'recvmsg\(5, \{\{AF_INET, 127\.0\.0\.1, port [0-9]+\}, "hi\\n", [0-9]+\}, MSG_DONTWAIT\|.*\) = 3'
    call 'sendmsg\(5, \{\{AF_INET, 127\.0\.0\.1, port [0-9]+\}, "hi\\n", 3\}, MSG_DONTWAIT\|MSG_NOSIGNAL\) = 3'
    grep -q 'send(5, "hi\\n", 3, ' try.err
    refute grep -E 'PKTINFO|UDP_GRO' try.err server.err
}

@test "18.1: programs: fork, execve, waitpid" {
    start server "$SOCKCTL" listen -vv -c 'cat; exit 3' 127.0.0.1:0
    listening server
    TRY_STDIN=<(echo hi) try "$SOCKCTL" connect "$ADDR"
    assert_output hi
    finish server
    assert_status 3
    call 'fork\(\) = [0-9]+'
    call 'execve\("/bin/sh", \["/bin/sh", "-c", "cat; exit 3"\], environ\) = 0 \(in the new process\)'
    call 'waitpid\(-1, \[exited with status 3\]\) = [0-9]+'
    start server "$SOCKCTL" echo-server -vv --workers 2 127.0.0.1:0
    listening server
    stop server
    [ "$(grep -c 'fork() = ' server.err)" = 2 ]
    [ "$(grep -c 'waitpid([0-9]*, \[\(exited with status 0\|killed by signal 15\)\]) = ' server.err)" = 2 ]
}

@test "18.1: splice says which calls it stands for" {
    head -c 3000000 /dev/zero >data
    start server bash -c '"$0" "$@" | cat >copy' "$SOCKCTL" listen -vv -d 127.0.0.1:0
    listening server
    TRY_STDIN=data try "$SOCKCTL" connect -vv "$ADDR"
    assert_status 0
    assert_errors 'splice\(0, NULL, [0-9]+, NULL, [0-9]+, [A-Z_|]+\) = [0-9]+ \(in place of read\)$'
    assert_errors 'splice\([0-9]+, NULL, 5, NULL, [0-9]+, [A-Z_|]+\) = [0-9]+ \(in place of send\)$'
    finish server
    assert_errors 'splice\(.*\) = [1-9][0-9]* \(in place of recv and write\)$'
    cmp data copy
}

@test "18.1: credentials are in no call" {
    peer peer send-close data
    try "$SOCKCTL" http-get -vvv -0 -u name:secretword -H Host: -H 'Cookie: s=secretword' "http://127.0.0.1:$PORT/"
    refute grep -aE 'send.*secretword|bmFtZTpzZWNyZXR3b3Jk' try.err
    assert_errors 'send\(.*"GET / HTTP/1\.0"\.\.\. \(not shown: credentials\), [0-9]+, '
}
