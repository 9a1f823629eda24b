t(){ echo "--- $*"; timeout 3 ./sockctl "$@" </dev/null; echo "[$?]"; }
t connect -verbose localhost 7
t connect -timeout 3 localhost 7
t connect -timeout=3 localhost 7
t http-get -output f localhost
t resolve -type=mx a
t connect --send -verbose 0 1
t connect -zv localhost -25
t listen -k8080
t listen -l1234
t listen -lk1234
t resolve -x127.0.0.1
t listen -p=8080
t http-get -o=f x
t http-get -2 x
t connect --UDP x 1
t connect --no x 1
t connect --max x 1
t connect –v x 1
t connect ‘localhost’ 7
t unix-send nosuch —hi
t -help
t '-?'
t --help=connect
t --Version
t - TCP:localhost:7
t -4 connect a 1
t "connect localhost 7"
t HTTP-GET x
t chat
t send
t connect -help
t connect -h -h
t connect -lk 80
t connect -udp 53 127.0.0.1 9
t http-get -sLo/dev/null -Oz
