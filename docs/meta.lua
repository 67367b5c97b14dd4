---@meta luring

-- For editors: lua-language-server and its kin. Made by `make docs`.

---A number without a fraction, even one that Lua counts as a float.
---@alias luring.integer integer|number

---Which there are depends on the system's headers.
---@class luring.constants
---@field [string] integer

---@class luring: luring.constants
local luring = {}

---@class luring.ring: userdata
local ring = {}

---@class luring.buffer
---@operator len: integer
local buffer = {}

---@param i luring.integer
---@param j? luring.integer
---@return string
function buffer:sub(i, j) end

---@param at luring.integer
---@param data string
function buffer:set(at, data) end

---@param s string
---@param from? luring.integer
---@return integer?
---@return integer?
function buffer:find(s, from) end

---@param i luring.integer
---@param j? luring.integer
---@return luring.buffer
function buffer:view(i, j) end

---@param k luring.integer
---@return integer
function buffer:load32(k) end

---@param k luring.integer
---@param n luring.integer
function buffer:store32(k, n) end

---@param k luring.integer
---@param n luring.integer
---@return integer
function buffer:add32(k, n) end

---@param k luring.integer
---@param old luring.integer
---@param new luring.integer
---@return boolean
---@return integer
function buffer:cas32(k, old, new) end

---@class luring.group
local group = {}

---@return integer
function group:available() end

---@param on boolean
function group:manual(on) end

---@param view luring.buffer
function group:give(view) end

---@return integer
function group:close() end

---@class luring.address
---@field family luring.integer
---@field addr? string
---@field port? luring.integer
---@field path? string
---@field scope_id? luring.integer
---@field flowinfo? luring.integer

---Makes a ring with room for at least `entries` actions (1 to 32768) between two submits. `flags` are io_uring_setup(2)'s
---`IORING_SETUP_` bits; 0 suits almost everybody. Raises `could not initialise queue: ...`, with what refused it and what
---to do, if the system refuses. Collecting the ring exits it. See io_uring_queue_init(3).
---@param entries luring.integer
---@param flags luring.integer
---@return luring.ring
function luring.queue_init(entries, flags) end

---The same with what else can be asked for: `{flags=, cq_entries=, sq_thread_idle=, sq_thread_cpu=, wq_fd=, auto_submit=,
---auto_seen=}`, each of which may be absent; a field of another name is an error. `cq_entries` is the room for completions;
---`sq_thread_idle` (milliseconds) and `sq_thread_cpu` (from 0) are for IORING_SETUP_SQPOLL; `wq_fd` is the `ring_fd` of a
---ring whose thread and workers this one shares. See io_uring_setup(2).
---
---Two are luring's own. With `auto_submit = true` an action that finds the queue full submits what is in it and is queued,
---instead of giving `nil`. With `auto_seen = true` each completion is marked seen before its callback is called:
---`cqe_seen` is not needed, and does nothing.
---@param entries luring.integer
---@param params table
---@return luring.ring
function luring.queue_init_params(entries, params) end

---Ends the ring: what was not submitted is dropped; what is in flight is cancelled, and waited for; then all of its memory
---is freed. No callback is called. Calling it again is harmless; any other call with the ring is then an argument error.
---Called in a callback, it makes `do_cqes` stop and return. See io_uring_queue_exit(3).
---@param ring luring.ring
function luring.queue_exit(ring) end

ring.queue_exit = luring.queue_exit

---Hands the queued actions to the kernel. Returns how many, or `-errno`. See io_uring_submit(3).
---@param ring luring.ring
---@return integer
function luring.submit(ring) end

ring.submit = luring.submit

---As `submit`, and waits until `wait_nr` (0 to 4294967295) completions are there, as long as that takes: forever, if
---nothing is in flight. A signal ends the wait: the result is then `-EINTR` (-4), or the number of actions submitted if
---this call has submitted any; see [Signals](#signals). A `timeout`, in seconds or as `{tv_sec=, tv_nsec=}`, ends the wait
---too: the result is `-ETIME` if nothing was submitted and nothing completed. See io_uring_submit_and_wait(3).
---@param ring luring.ring
---@param wait_nr luring.integer
---@param timeout? number|{tv_sec: integer, tv_nsec: integer}
---@return integer
function luring.submit_and_wait(ring, wait_nr, timeout) end

ring.submit_and_wait = luring.submit_and_wait

---Calls the callback of each completion there is, including those that arrive meanwhile; never waits. A completion without
---callback is marked seen. Returns `-EAGAIN` (-11): the queue is empty. An error in a callback leaves `do_cqes` unchanged,
---and the completion, unless it was marked seen, stays in the queue. With `max`, a number from 1, it handles no more
---completions than that, and returns how many it did; `-EAGAIN` if there was none.
---@param ring luring.ring
---@param max? luring.integer
---@return integer
function luring.do_cqes(ring, max) end

ring.do_cqes = luring.do_cqes

---Marks the completion that a callback got as seen: its buffer, its content and its callback are released. Call it once
---for each completion, anywhere in the callback; what comes after may queue, submit, and call `do_cqes` again. Any other
---`cqe` (an old one, another ring's) is an argument error, and changes nothing.
---@param ring luring.ring
---@param cqe lightuserdata
function luring.cqe_seen(ring, cqe) end

ring.cqe_seen = luring.cqe_seen

---Reads up to `size` bytes (0 to 4294967295) from `fd` at `offset`; -1 is the file's own position, which sockets and pipes
---need. Calls `callback(cqe, res, result)`: `res` is the number of bytes, 0 at the end of the file, or `-errno`; `result`
---is exactly these bytes, and the empty string when there are none. A read may bring less than it was asked for. Of two
---reads in flight on one pipe or socket the second may get what the first waits for: queue it when the first has ended.
---
---Returns the action's key, a light userdata, or `nil` when the submission queue is full: then nothing is kept, and it
---can be tried again after a submit. So do the other actions. See io_uring_prep_read(3).
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param size luring.integer|luring.buffer|luring.group
---@param offset luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.read(ring, fd, size, offset, callback) end

ring.read = luring.read

---Writes `content` to `fd` at `offset`; -1 is the file's own position. Calls `callback(cqe, res)`: `res` is the number of
---bytes written, which may be fewer, or `-errno`; `-EPIPE` if it is a pipe or a socket that nobody reads any more (see
---[Closed pipes](#closed-pipes)). See io_uring_prep_write(3).
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param content string|luring.buffer
---@param offset luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.write(ring, fd, content, offset, callback) end

ring.write = luring.write

---Receives up to `size` bytes from a socket; `flags` are recv(2)'s, such as `luring.MSG_PEEK`. Calls
---`callback(cqe, res, result)` as `read` does; `res` is 0 when the peer has closed. See io_uring_prep_recv(3).
---@param ring luring.ring
---@param sockfd luring.integer|userdata|table
---@param size luring.integer|luring.buffer|luring.group
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.recv(ring, sockfd, size, flags, callback) end

ring.recv = luring.recv

---Sends `content` to a connected socket; `flags` are send(2)'s, such as `luring.MSG_WAITALL`, which sends all of it before
---it completes (Linux 5.19). Calls `callback(cqe, res)` as `write` does. A peer that is gone is `-EPIPE`, never a signal.
---See io_uring_prep_send(3).
---@param ring luring.ring
---@param sockfd luring.integer|userdata|table
---@param content string|string[]|luring.buffer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.send(ring, sockfd, content, flags, callback) end

ring.send = luring.send

---Accepts a connection to a listening socket; `flags` are accept4(2)'s: 0, `luring.SOCK_CLOEXEC`, `luring.SOCK_NONBLOCK`.
---Calls `callback(cqe, res)`: `res` is the connection's descriptor, or `-errno`. See io_uring_prep_accept(3).
---@param ring luring.ring
---@param sockfd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.accept(ring, sockfd, flags, callback) end

ring.accept = luring.accept

---Opens a file, at once, and returns its descriptor or `-errno`. `mode`: `w` (the default) reads and writes and creates
---the file; `w+` empties it first; `a` writes only and creates the file; `a+` empties it first; `r` reads only. All but `r`
---append (`O_APPEND`): the kernel then puts every write at the end, whatever its offset. To write elsewhere, give a number:
---`luring.O_RDWR + luring.O_CREAT`, say; `O_CLOEXEC` is then set too. A new file's permissions are 0664 unless you give
---others, less the umask. See open(2).
---@param path string
---@param mode? string|luring.integer
---@param permissions? luring.integer
---@return integer
function luring.open_file(path, mode, permissions) end

---The C library's words for an error number. See strerror(3).
---
---What else is done at once, without a ring, is in [docs/helpers.md](docs/helpers.md): sockets and their options, folders,
---processes, timers, signals and what changes in files.
---@param errno luring.integer
---@return string
function luring.strerror(errno) end

---A socket that listens at `addr`, with SO_REUSEADDR set. `opts` is a table, or the backlog alone:
---
---- `backlog`: how many connections may wait to be accepted, 4096 by default. The kernel's own limit is
---  net.core.somaxconn.
---- `reuseport`: true lets several processes listen on one port; the kernel spreads connections over them.
---- `v6only`: false takes IPv4 connections at an IPv6 address too, true doesn't. The system's setting is the default.
---- `nodelay`: true sends small pieces at once, on every connection that is accepted.
---- `fastopen`: how many connections that brought data with their first packet may wait (TCP_FASTOPEN).
---
---See listen(2), tcp(7).
---@param addr luring.address|string
---@param opts? table
---@return integer
function luring.tcp_listen(addr, opts) end

---A socket that is connected to `addr`. It waits for the connection. See connect(2).
---@param addr luring.address|string
---@return integer
function luring.tcp_connect(addr) end

---A socket for datagrams that arrive at `addr`. `opts` may have `reuseport` and `v6only`, as above. See udp(7).
---@param addr luring.address|string
---@param opts? table
---@return integer
function luring.udp_bind(addr, opts) end

---A socket that is bound to nothing and connected to nothing: `socket_fd(luring.AF_INET, luring.SOCK_STREAM)`. See
---socket(2).
---@param domain luring.integer
---@param kind luring.integer
---@param protocol? luring.integer
---@return integer
function luring.socket_fd(domain, kind, protocol) end

---Two connected sockets. The defaults are `luring.AF_UNIX`, `luring.SOCK_STREAM` and 0. See socketpair(2).
---@param domain? luring.integer
---@param kind? luring.integer
---@param protocol? luring.integer
---@return integer
---@return integer
function luring.socketpair(domain, kind, protocol) end

---Gives a socket an address of this machine. 0 when it is done. See bind(2).
---@param sockfd luring.integer|userdata|table
---@param addr luring.address|string
---@return integer
function luring.bind_fd(sockfd, addr) end

---Ends one direction of a connection, or both: `luring.SHUT_RD`, `SHUT_WR`, `SHUT_RDWR`. See shutdown(2).
---@param sockfd luring.integer|userdata|table
---@param how luring.integer
---@return integer
function luring.shutdown_fd(sockfd, how) end

---The address that a socket is bound to: the port that the kernel chose for port 0, say. See getsockname(2).
---@param sockfd luring.integer|userdata|table
---@return luring.address
function luring.getsockname(sockfd) end

---The address that a socket is connected to. See getpeername(2).
---@param sockfd luring.integer|userdata|table
---@return luring.address
function luring.getpeername(sockfd) end

---Has a name looked up by the system's resolver (/etc/hosts, DNS, and what else it is set up to ask), in a thread, so that
---nobody waits. `service` is a port's number, or a service's name. `opts` may have `family` (AF_INET, AF_INET6) and `flags`
---(AI_CANONNAME has no effect). What it gives is a descriptor: a read of 4096 bytes, which may take its time, brings
---what `addrinfo` takes. Close it then, or before that if the answer is no longer wanted. At most eight names are looked up
---at a time; further ones wait. See getaddrinfo(3).
---@param host string
---@param service? string
---@param opts? table
---@return integer
function luring.getaddrinfo(host, service, opts) end

---The addresses in that answer, as a list of tables, with those first that are to be tried first. Or nil, a message and the
---number of an error: ENOENT for a name that nobody knows, EAGAIN where no server has answered.
---@param answer string
---@return table?
---@return string?
---@return integer?
function luring.addrinfo(answer) end

---An option that is an integer: `getsockopt(fd, luring.SOL_SOCKET, luring.SO_ERROR)`. See getsockopt(2), socket(7).
---@param sockfd luring.integer|userdata|table
---@param level luring.integer
---@param optname luring.integer
---@return integer
function luring.getsockopt(sockfd, level, optname) end

---An option as the kernel has it, of at most `optlen` bytes; SO_GET_FILTER counts instructions, of 8 bytes.
---@param sockfd luring.integer|userdata|table
---@param level luring.integer
---@param optname luring.integer
---@param optlen luring.integer
---@return string
function luring.getsockopt_bytes(sockfd, level, optname, optlen) end

---Sets an option to an integer, or to the bytes of a string. 0 when it is done. See setsockopt(2).
---@param sockfd luring.integer|userdata|table
---@param level luring.integer
---@param optname luring.integer
---@param value luring.integer|string
---@return integer
function luring.setsockopt(sockfd, level, optname, value) end

---Closes a descriptor: 0 when it is done. What is in flight on it goes on. A ring's own is not closed but by
---`queue_exit`: -EBADF. See close(2).
---@param fd luring.integer|userdata|table
---@return integer
function luring.close_fd(fd) end

---The number of a descriptor: of a Lua file, say.
---@param file luring.integer|userdata|table
---@return integer
function luring.fileno(file) end

---A pipe: the descriptor to read from and the one to write to. `flags`: `luring.O_NONBLOCK`, `luring.O_DIRECT`. See
---pipe2(2).
---@param flags? luring.integer
---@return integer
---@return integer
function luring.pipe2(flags) end

---Moves a file's own position, and says where it is then. `whence`: `luring.SEEK_SET` (the default), `SEEK_CUR`,
---`SEEK_END`, `SEEK_DATA`, `SEEK_HOLE`. See lseek(2).
---@param fd luring.integer|userdata|table
---@param offset luring.integer
---@param whence? luring.integer
---@return integer
function luring.lseek(fd, offset, whence) end

---What the file system knows of an open file: the table of [`statx`](reference.md), whose `mask` is `luring.STATX_BASIC_STATS`
---by default. The kernel does `statx` in a worker's thread, which takes longer; this asks at once, and a network's file system
---gives what it remembers (AT_STATX_DONT_SYNC). See statx(2).
---@param fd luring.integer|userdata|table
---@param mask? luring.integer
---@return table
function luring.statx_fd(fd, mask) end

---Cuts or fills a file to `length` bytes. See ftruncate(2).
---@param fd luring.integer|userdata|table
---@param length luring.integer
---@return integer
function luring.ftruncate_fd(fd, length) end

---Sets a file's permissions. See fchmod(2).
---@param fd luring.integer|userdata|table
---@param permissions luring.integer
---@return integer
function luring.fchmod(fd, permissions) end

---Sets a file's owner and group; -1 leaves one as it is. See fchown(2).
---@param fd luring.integer|userdata|table
---@param owner luring.integer
---@param group luring.integer
---@return integer
function luring.fchown(fd, owner, group) end

---Sets when a file was last read and written, in seconds since 1970: now, where you give nothing. `tv_nsec` may be
---`luring.UTIME_OMIT`, which leaves that time as it is. The path counts from the folder `dfd`, which may be
---`luring.AT_FDCWD`, the current one; without a path it is the file `dfd`. See utimensat(2).
---@param dfd luring.integer|userdata|table
---@param path? string
---@param atime? number|{tv_sec: integer, tv_nsec: integer}
---@param mtime? number|{tv_sec: integer, tv_nsec: integer}
---@param flags? luring.integer
---@return integer
function luring.utimensat(dfd, path, atime, mtime, flags) end

---Makes a file that is no ordinary one: a FIFO with `luring.S_IFIFO + 384` (octal 600), say. See mknod(2).
---@param path string
---@param st_mode luring.integer
---@param device? luring.integer
---@return integer
function luring.mknod(path, st_mode, device) end

---Where a symbolic link points to. See readlink(2).
---@param path string
---@return string
function luring.readlink(path) end

---What is in a folder, by its path or its descriptor: a table from each name to its type, `luring.DT_REG`, `DT_DIR`,
---`DT_LNK`, ..., without `.` and `..`. Some file systems say `DT_UNKNOWN` of everything. io_uring can't do this. See
---readdir(3).
---@param folder string|luring.integer|userdata|table
---@return table
function luring.readdir(folder) end

---Starts a program: `posix_spawn{"ls", "-l", stdout = fd}`. Returns the number of its process and a descriptor of it, which
---can be polled: it is readable when the process has ended. The list is the program, which is looked for in PATH unless it
---has a slash, and its arguments. It may also have:
---
---- `stdin`, `stdout`, `stderr`: descriptors; without them the program has yours.
---- `cwd`: the folder that it starts in.
---- `env`: a table of its environment, `{PATH = "/bin"}`; without it the program has yours.
---- `group`: its process group; 0 is a new one of its own.
---
---It starts with no signal blocked or ignored. No descriptor is left to it but 0, 1, 2 and those of yours that are not
---close-on-exec. Take its end with `waitid_now`, or it stays a zombie. If there is no descriptor left for it the second
---value is `-errno`; the program runs all the same.
---
---Don't fork beside a ring: a forked child can't use it. See posix_spawn(3).
---@param program table
---@return integer
---@return integer
function luring.posix_spawn(program) end

---A descriptor of a process that runs already. See pidfd_open(2).
---@param pid luring.integer
---@param flags? luring.integer
---@return integer
function luring.pidfd_open(pid, flags) end

---Sends a signal to a process, and never to another that has got its number. See pidfd_send_signal(2).
---@param pidfd luring.integer|userdata|table
---@param signal luring.integer
---@return integer
function luring.pidfd_send_signal(pidfd, signal) end

---Sends a signal to the process with this number, 1 or more. A child of yours has it until you have taken its end; of
---another, use a descriptor. See kill(2).
---@param pid luring.integer
---@param signal luring.integer
---@return integer
function luring.kill(pid, signal) end

---Sends a signal to all processes of a group, whose number is 2 or more, as `posix_spawn`'s `group` makes one. See
---killpg(3).
---@param pgrp luring.integer
---@param signal luring.integer
---@return integer
function luring.killpg(pgrp, signal) end

---How a child ended: `{pid=, uid=, signo=, code=, status=}`, or `-luring.EAGAIN` if it runs still. `code` is
---`luring.CLD_EXITED`, and `status` what it gave to exit, or `CLD_KILLED`, and `status` the signal. `idtype`:
---`luring.P_PIDFD`, `P_PID`, `P_PGID`, `P_ALL`. `options`: `luring.WEXITED` by default. See waitid(2).
---@param idtype luring.integer
---@param id luring.integer|userdata|table
---@param options? luring.integer
---@return table
function luring.waitid_now(idtype, id, options) end

---A counter. A read of 8 bytes gives it as a 64-bit integer in the machine's order, and sets it to 0; it waits while
---that is 0. A write of 8 bytes adds to it. See eventfd(2).
---@param initval? luring.integer
---@param flags? luring.integer
---@return integer
function luring.eventfd(initval, flags) end

---A timer, on `luring.CLOCK_MONOTONIC` by default. See timerfd_create(2).
---@param clockid? luring.integer
---@param flags? luring.integer
---@return integer
function luring.timerfd_create(clockid, flags) end

---Sets a timer to go off after `value`, and then every `interval`; a value of 0 stops it. With `luring.TFD_TIMER_ABSTIME`
---`value` is a moment of the timer's clock. A read of 8 bytes gives how often it has gone off since. See
---timerfd_settime(2).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param value number|{tv_sec: integer, tv_nsec: integer}
---@param interval? number|{tv_sec: integer, tv_nsec: integer}
---@return integer
function luring.timerfd_settime(fd, flags, value, interval) end

---A descriptor that gives a signal, or those in a list, when they come. They are blocked, so that they don't do what they
---would; they stay so when the descriptor is closed. See signalfd(2).
---@param signals luring.integer|table
---@param flags? luring.integer
---@return integer
function luring.signalfd(signals, flags) end

---What was read from such a descriptor, 128 bytes a signal, as a list of tables: `signo`, `code`, `pid`, `uid`, `status`,
---`int`, `errno`, `fd`, `tid`, `band`, `overrun`.
---@param records string
---@return table
function luring.siginfo(records) end

---A descriptor that gives what happens to files. See inotify(7).
---@param flags? luring.integer
---@return integer
function luring.inotify_init(flags) end

---Watches a file or a folder for `luring.IN_MODIFY + luring.IN_CREATE`, say: the number of the watch. See
---inotify_add_watch(2).
---@param fd luring.integer|userdata|table
---@param path string
---@param mask luring.integer
---@return integer
function luring.inotify_add_watch(fd, path, mask) end

---Ends a watch. See inotify_rm_watch(2).
---@param fd luring.integer|userdata|table
---@param wd luring.integer
---@return integer
function luring.inotify_rm_watch(fd, wd) end

---What was read from such a descriptor (4096 bytes have room for one event at least), as a list of tables: `wd`, `mask`,
---`cookie`, and, in a folder, `name`.
---@param records string
---@return table
function luring.inotify_events(records) end

---An epoll instance. See epoll_create1(2).
---@param flags? luring.integer
---@return integer
function luring.epoll_create1(flags) end

---Seconds on the clock that nobody sets (CLOCK_MONOTONIC): for measuring, and for a timer's moments.
---@return number
function luring.now() end

---The name of an error number: `errname(11)` is "EAGAIN"; nil if it has none.
---@param errno luring.integer
---@return string?
function luring.errname(errno) end

---How many processors this process may use at a time.
---
---`luring._VERSION` is the module's name and version.
---@return integer
function luring.cpus() end

---Whether a ring can be had here: true, or false and why not, in `queue_init`'s words. It never raises.
---@return boolean
---@return string?
function luring.available() end

---Whether this build of luring and the running kernel can do an action or another function, by its name, or have a
---feature: `luring.can("bind")`, `luring.can("recv_multishot")`, `luring.can("buf_ring_inc")`. A name that nobody knows is
---false.
---@param name string
---@return boolean
function luring.can(name) end

---The kernel's own answer: a table that has true for each operation that it knows, by the names of IORING_OP_ in lower
---case. See io_uring_register_probe(3).
---@param ring? luring.ring
---@return table
function luring.probe(ring) end

---A table that has true for each feature of the kernel that made the ring, by the names of IORING_FEAT_ in lower case. See
---io_uring_setup(2).
---@param ring luring.ring
---@return table
function luring.features(ring) end

ring.features = luring.features

---What stands for a slot (0 to 1073741823) of the ring's table of files, where an action takes a descriptor.
---@param slot luring.integer
---@return integer
function luring.fixed(slot) end

---Submits, waits and calls the callbacks until nothing is in flight, or `stop` is called; with `on_message`, until `stop`.
---Completions are seen before their callbacks run: `cqe_seen` is not needed. Returns 0, what `stop` was given, or `-errno`
---if the kernel refuses to be entered. Ctrl-C raises the interpreter's own error. A callback that raises ends it too, and
---loses nothing. A ring that runs can't be run again, and -EBUSY says that this is a finalizer, and `do_cqes` of the same
---ring makes a value.
---@param ring luring.ring
---@return any
function luring.run(ring) end

ring.run = luring.run

---Makes `run` return `value`, or 0 without one, when the callback that calls this has returned. An error unless the ring runs.
---@param ring luring.ring
---@param value? any
function luring.stop(ring, value) end

ring.stop = luring.stop

---Makes room for `n` more actions (0 to what the queue holds), and submits if it takes that: true, or `-errno`. With
---IORING_SETUP_SQPOLL it waits. For what must be queued side by side: a chain, or an action and its timeout.
---@param ring luring.ring
---@param n luring.integer
---@return boolean|integer
function luring.reserve(ring, n) end

ring.reserve = luring.reserve

---The flags of the completion that the callback has got, for the callbacks that don't get them as an argument.
---@param ring luring.ring
---@param cqe lightuserdata
---@return integer
function luring.cqe_flags(ring, cqe) end

ring.cqe_flags = luring.cqe_flags

---Whether IORING_CQE_F_MORE is among the flags: this was not the action's last completion.
---@param flags luring.integer
---@return boolean
function luring.more(flags) end

---Whether all of the bits are set in the mask: Lua 5.1 and 5.2 have no operators for that.
---@param mask luring.integer
---@param bits luring.integer
---@return boolean
function luring.has(mask, bits) end

---An object that other loops can wait for, and that is readable when the ring has completions: it has `pollfd`, `events`
---and `timeout` for cqueues, `getfd` and `dirty` for LuaSocket's `select`. Submit before you wait. luv takes `ring_fd` in
---`new_poll`. A ring with IORING_SETUP_DEFER_TASKRUN or IORING_SETUP_IOPOLL wakes nobody who waits for its descriptor, and is
---an argument error here: give it an eventfd (`register_eventfd`), and wait for that. Before the ring is exited, cqueues
---must forget it: `cqueues.cancel(object)`.
---@param ring luring.ring
---@return table
function luring.pollable(ring) end

ring.pollable = luring.pollable

---`handler(res, data, flags)` is called by `do_cqes` and `run` for each message that another ring's `msg_ring` sends here;
---it is seen by itself. Without a handler, messages are dropped.
---@param ring luring.ring
---@param handler? fun(res: integer, data: integer, flags: integer)
function luring.on_message(ring, handler) end

ring.on_message = luring.on_message

---Makes each action of the list begin when the one before has succeeded. They must be this ring's, unsubmitted, and queued
---one right behind the other. A read or a send that moves less than it was told counts as failed, and a failure ends the
---rest with -ECANCELED. A slot that an earlier one opened stays open then. The key of a member's `link_timeout` stands in
---the list behind it. `options` are
---
---- `hard`: true lets the chain go on after a failure.
---- `skip`: true makes all but the last silent, unless they fail. After a silent one that failed nothing more of the chain
---  is heard of, not even of the last, unless the chain is hard. Not for what makes descriptors or completes more than
---  once, what receives into a group's buffer or sends a group's view, nor with IORING_SETUP_SQPOLL.
---- `timeout`: bounds the last, and only that, as `link_timeout` does; it takes room for one more action, and the last must
---  be what was queued last. Linux 6.1 does not bound it behind reads or writes of a pipe.
---
---Returns true, or nil when there is no room for the timeout, and then nothing has changed. See io_uring_enter(2), IOSQE_IO_LINK.
---@param ring luring.ring
---@param keys table
---@param options? table
---@return boolean?
function luring.chain(ring, keys, options) end

ring.chain = luring.chain

---Adds IOSQE_ASYNC (begin in a worker thread) or IOSQE_IO_DRAIN (wait for all that was queued before) to an action that is
---not submitted yet. The other flags are said by arguments and by `chain`. What is queued after an action with IOSQE_IO_DRAIN
---waits until that has ended, a cancellation of it too: `sync_cancel` doesn't.
---@param ring luring.ring
---@param key lightuserdata
---@param flags luring.integer
function luring.sqe_set_flags(ring, key, flags) end

ring.sqe_set_flags = luring.sqe_set_flags

---Gives an action the rights that `register_personality` has kept under `id` (0 to 65535).
---@param ring luring.ring
---@param key lightuserdata
---@param id luring.integer
function luring.sqe_set_personality(ring, key, id) end

ring.sqe_set_personality = luring.sqe_set_personality

---Gives an action that reads or writes a file an I/O priority (0 to 65535): see ioprio_set(2).
---@param ring luring.ring
---@param key lightuserdata
---@param ioprio luring.integer
function luring.sqe_set_ioprio(ring, key, ioprio) end

ring.sqe_set_ioprio = luring.sqe_set_ioprio

---Cancels and waits for that: what is queued and does not match is submitted. `what` is `{key=}`, `{fd=}` (a descriptor, an
---object that has one, or a slot), `{op=}` (the number of an operation) or several of these, for what has all of them; or
---`{any=true}`. `all=true` cancels all that match. Returns 0, with `all` or `any` how many (without what the kernel had to wait for), or `-errno`: -ENOENT if there
---was none, -ETIME if it took longer than `timeout`. See io_uring_register_sync_cancel(3).
---@param ring luring.ring
---@param what table
---@param timeout? number|{tv_sec: integer, tv_nsec: integer}
---@return integer
function luring.sync_cancel(ring, what, timeout) end

ring.sync_cancel = luring.sync_cancel

---A buffer of `n` bytes (1 to 4294967295), all zeros; it begins a page, as O_DIRECT wants, and its size never changes.
---`{shared = true}` makes it survive a fork in both processes. `read`, `recv` and `read_fixed` take it in place of a size,
---and pass it on as the value; `write`, `send` and `write_fixed` in place of a string. It is kept while in flight. Its bytes
---count from 1, as a string's do:
---
---- `b:sub(i, j?)` copies bytes to a string, `b:set(at, string)` copies a string into it, `b:find(s, from?)` finds a string
---  and gives its first and last place, `#b` is its size.
---- `b:view(i, j?)` is a buffer that is a part of this one.
---- `set` raises on bytes that an action reads, `sub` and `find` on bytes that one fills; not for shared buffers.
---- Shared ones have 32-bit words, which count from 1: `load32(k)`, `store32(k, n)`, `add32(k, n)` (gives what was there),
---  `cas32(k, old, new)` (whether it stored, and what was there).
---@param n luring.integer
---@param options? table
---@return luring.buffer
function luring.buffer(n, options) end

---A group of `count` buffers (a power of two, up to 32768) of `size` bytes each, of which the kernel picks one when there is
---data: so receivers that wait hold none. `read` and `recv` take it in place of a size; `read_multishot`,
---`recv_multishot` and `recvmsg_multishot` always. The callback gets a string as the value, and the buffer goes back by
---itself. When all are in use, actions end with -ENOBUFS. `-errno` where the kernel refuses. See io_uring_register_buf_ring(3).
---
---- `g:available()` is how many buffers the kernel has.
---- `g:manual(true)` gives views in place of strings, which `send` takes: a view goes back when all of it has been sent, or
---  by `g:give(view)`. Once back, every use of it raises.
---- `g:close()` ends it: 0, or `-errno`. It is an error while actions use it.
---- `luring.IOU_PBUF_RING_INC` as `flags` lets the kernel fill a buffer bit by bit. A `recv` with MSG_WAITALL then ends with
---  what there is, too.
---@param ring luring.ring
---@param count luring.integer
---@param size luring.integer
---@param flags? luring.integer
---@return luring.group|integer
function luring.buf_ring(ring, count, size, flags) end

ring.buf_ring = luring.buf_ring

---As accept, but the connection goes into `slot` (a number, `luring.fixed` of it, or with
---IORING_FILE_INDEX_ALLOC a free one) of the ring's table of files, and has no descriptor; a file
---that is there is closed. The value is `luring.fixed(slot)`. SOCK_CLOEXEC makes no sense then.
----ENFILE: no slot is free; -ENXIO: the ring has no table.
---Since Linux 5.15. Man page: io_uring_prep_accept_direct(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.accept_direct(ring, fd, flags, slot, callback) end

ring.accept_direct = luring.accept_direct

---Accepts a connection, and says who it is from: the value is the peer's address.
---Since Linux 5.5. Man page: io_uring_prep_accept(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.accept_from(ring, fd, flags, callback) end

ring.accept_from = luring.accept_from

---Accepts one connection after the other: the callback gets each, until a completion without
---IORING_CQE_F_MORE in its flags (-EMFILE, -ECANCELED, ...). Armed again while descriptors are short,
---it ends at once again.
---Since Linux 5.19. Man page: io_uring_prep_multishot_accept(3). Needs liburing 2.2.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.accept_multishot(ring, fd, flags, callback) end

ring.accept_multishot = luring.accept_multishot

---As accept_multishot, into free slots: each value is the `luring.fixed` of one.
---Since Linux 5.19. Man page: io_uring_prep_multishot_accept_direct(3). Needs liburing 2.2.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.accept_multishot_direct(ring, fd, flags, callback) end

ring.accept_multishot_direct = luring.accept_multishot_direct

---Gives a socket an address of this machine, as the helpers' tables have them.
---Since Linux 6.11. Man page: io_uring_prep_bind(3). Needs liburing 2.7.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param addr luring.address|string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.bind(ring, fd, addr, callback) end

ring.bind = luring.bind

---Cancels the action that `key` names, which then ends with -ECANCELED or -EINTR, if that is
---still possible: one that is not submitted yet never runs. `res` is 0, or -ENOENT if there is
---none (any more), or -EALREADY if it can't be stopped. With IORING_ASYNC_CANCEL_ALL in `flags`,
---`res` is how many were cancelled. IORING_ASYNC_CANCEL_ANY is `cancel_all`.
---Since Linux 5.5. Man page: io_uring_prep_cancel(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param key lightuserdata
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cancel(ring, key, flags, callback) end

ring.cancel = luring.cancel

---Cancels all that is in flight. `res` is how many were cancelled.
---Since Linux 5.19. Man page: io_uring_prep_cancel(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cancel_all(ring, callback) end

ring.cancel_all = luring.cancel_all

---Cancels all that is in flight on a descriptor, or with 0 as `flags` one action. `res` is how
---many were cancelled, or for one 0 or -ENOENT.
---Since Linux 5.19. Man page: io_uring_prep_cancel_fd(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cancel_fd(ring, fd, flags, callback) end

ring.cancel_fd = luring.cancel_fd

---Closes a descriptor, or the file in a slot (`luring.fixed(slot)`). What is in flight on it goes on: a later message of the peer still ends a
---recv. `cancel_fd` ends all of it.
---Since Linux 5.6. Man page: io_uring_prep_close(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.close(ring, fd, callback) end

ring.close = luring.close

---Closes the file in a slot, which is free then; `close(luring.fixed(slot))` is the same.
----EBADF: the slot is empty.
---Since Linux 5.15. Man page: io_uring_prep_close_direct(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.close_direct(ring, slot, callback) end

ring.close_direct = luring.close_direct

---Tells a block device that `nbytes` bytes from `offset` are no longer needed.
---Since Linux 6.12. Man page: io_uring_prep_cmd_discard(3). Needs liburing 2.8.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param offset luring.integer
---@param nbytes luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cmd_discard(ring, fd, offset, nbytes, callback) end

ring.cmd_discard = luring.cmd_discard

---The address that a socket is bound to, or with 1 as `peer` the one that it is connected to.
---Since Linux 6.19. Man page: io_uring_prep_cmd_getsockname(3). Needs liburing 2.13.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param peer luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cmd_getsockname(ring, fd, peer, callback) end

ring.cmd_getsockname = luring.cmd_getsockname

---Asks a socket something: `cmd_op` is SOCKET_URING_OP_SIOCINQ or SOCKET_URING_OP_SIOCOUTQ, whose `res`
---is how many bytes wait to be read or sent; or SOCKET_URING_OP_GETSOCKOPT or
---SOCKET_URING_OP_SETSOCKOPT with an option's `level` and `optname`. `optval` is an integer for an
---option that is a C int, or a string as long as the option; the value is what GETSOCKOPT got, likewise.
---Since Linux 6.7. Man page: io_uring_prep_cmd_sock(3). Needs liburing 2.5.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param cmd_op luring.integer
---@param fd luring.integer|userdata|table
---@param level luring.integer
---@param optname luring.integer
---@param optval luring.integer|string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.cmd_sock(ring, cmd_op, fd, level, optname, optval, callback) end

ring.cmd_sock = luring.cmd_sock

---Connects a socket to an address, as the helpers' tables have them.
---Since Linux 5.5. Man page: io_uring_prep_connect(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param addr luring.address|string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.connect(ring, fd, addr, callback) end

ring.connect = luring.connect

---Adds, changes or removes (`op`: EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL) what an epoll descriptor
---watches `fd` for; `event` is `{events=, data=}`, or nil for EPOLL_CTL_DEL.
---Since Linux 5.6. Man page: io_uring_prep_epoll_ctl(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param epfd luring.integer|userdata|table
---@param fd luring.integer|userdata|table
---@param op luring.integer
---@param event table
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.epoll_ctl(ring, epfd, fd, op, event, callback) end

ring.epoll_ctl = luring.epoll_ctl

---Waits for an epoll descriptor's events, at most `maxevents` (1 to 4096): the value is a list of
---`{events=, data=}`.
---Since Linux 6.15. Man page: io_uring_prep_epoll_wait(3). Needs liburing 2.10.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param epfd luring.integer|userdata|table
---@param maxevents luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.epoll_wait(ring, epfd, maxevents, flags, callback) end

ring.epoll_wait = luring.epoll_wait

---Says how a file will be read: `advice` (POSIX_FADV_SEQUENTIAL, ...) for `len` bytes from `offset`,
---or with 0 to the end. Kernels that know no `len` of 2^32 or more answer it with -EINVAL.
---Since Linux 5.6. Man page: io_uring_prep_fadvise(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param offset luring.integer
---@param len luring.integer
---@param advice luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fadvise(ring, fd, offset, len, advice, callback) end

ring.fadvise = luring.fadvise

---Reserves, or with FALLOC_FL_PUNCH_HOLE and its kin in `mode` frees, `len` bytes of a file from
---`offset`.
---Since Linux 5.6. Man page: io_uring_prep_fallocate(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param mode luring.integer
---@param offset luring.integer
---@param len luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fallocate(ring, fd, mode, offset, len, callback) end

ring.fallocate = luring.fallocate

---As getxattr, of an open file.
---Since Linux 5.19. Man page: io_uring_prep_fgetxattr(3). Needs liburing 2.2.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param name string
---@param len luring.integer|table|luring.buffer|luring.group
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fgetxattr(ring, fd, name, len, callback) end

ring.fgetxattr = luring.fgetxattr

---Puts the descriptors of a list into the slots from `offset` on; -1 empties a slot, and
---IORING_REGISTER_FILES_SKIP leaves one as it is. With IORING_FILE_INDEX_ALLOC as `offset` free
---slots are chosen, and the value is a list of their `luring.fixed`. `res` is how many were done.
---Since Linux 5.6. Man page: io_uring_prep_files_update(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fds table
---@param offset luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.files_update(ring, fds, offset, callback) end

ring.files_update = luring.files_update

---Gives the file in a slot a descriptor too, which is close-on-exec unless `flags` is
---IORING_FIXED_FD_NO_CLOEXEC. `res` is the descriptor.
---Since Linux 6.8. Man page: io_uring_prep_fixed_fd_install(3). Needs liburing 2.6.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param slot luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fixed_fd_install(ring, slot, flags, callback) end

ring.fixed_fd_install = luring.fixed_fd_install

---As setxattr, of an open file.
---Since Linux 5.19. Man page: io_uring_prep_fsetxattr(3). Needs liburing 2.2.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param name string
---@param value string|luring.buffer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fsetxattr(ring, fd, name, value, flags, callback) end

ring.fsetxattr = luring.fsetxattr

---Waits until a file's data is on the disk, and its attributes too without IORING_FSYNC_DATASYNC in
---`flags`. Writes that are in flight are not waited for: link them, or wait for them first.
---Since Linux 5.1. Man page: io_uring_prep_fsync(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.fsync(ring, fd, flags, callback) end

ring.fsync = luring.fsync

---Cuts a file to `len` bytes, or fills it up with zeros.
---Since Linux 6.9. Man page: io_uring_prep_ftruncate(3). Needs liburing 2.6.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.ftruncate(ring, fd, len, callback) end

ring.ftruncate = luring.ftruncate

---Waits while the `k`-th word, from 1, of the shared buffer `b` is `value`, until futex_wake comes:
---`res` is 0 then, or -EAGAIN if the word is another already. A waker meets those who have a bit
---of its `mask` in theirs; FUTEX_BITSET_MATCH_ANY is all of them. `futex_flags` are
---FUTEX2_SIZE_U32, and FUTEX2_PRIVATE if no other process uses the word; `flags` must be 0 so far.
---Since Linux 6.7. Man page: io_uring_prep_futex_wait(3). Needs liburing 2.6.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param b luring.buffer
---@param k luring.integer
---@param value luring.integer
---@param mask luring.integer
---@param futex_flags luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.futex_wait(ring, b, k, value, mask, futex_flags, flags, callback) end

ring.futex_wait = luring.futex_wait

---As futex_wait, for any of several words: `futexes` is a list of `{b, k, value=, flags=}` (at most
---128), where `flags` are `futex_flags`, by default FUTEX2_SIZE_U32. `res` is the place in the list
---of one that was woken, counted from 0, or -EAGAIN if a word has another value already.
---Since Linux 6.7. Man page: io_uring_prep_futex_waitv(3). Needs liburing 2.6.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param futexes table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.futex_waitv(ring, futexes, flags, callback) end

ring.futex_waitv = luring.futex_waitv

---Wakes up to `count` of those who wait for the `k`-th word, from 1, of the shared buffer `b`, here
---or in another process, by any system call: see futex_wait for the rest. `res` is how many were
---woken. The word itself is as before: change it first.
---Since Linux 6.7. Man page: io_uring_prep_futex_wake(3). Needs liburing 2.6.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param b luring.buffer
---@param k luring.integer
---@param count luring.integer
---@param mask luring.integer
---@param futex_flags luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.futex_wake(ring, b, k, count, mask, futex_flags, flags, callback) end

ring.futex_wake = luring.futex_wake

---Reads the extended attribute `name` of the file `path`, up to `len` bytes: the value. With 0,
---`res` is how many there are; -ERANGE says that `len` is too small.
---Since Linux 5.19. Man page: io_uring_prep_getxattr(3). Needs liburing 2.2.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param name string
---@param path string
---@param len luring.integer|table|luring.buffer|luring.group
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.getxattr(ring, name, path, len, callback) end

ring.getxattr = luring.getxattr

---Gives a file one more name; `flags` are linkat's.
---Since Linux 5.15. Man page: io_uring_prep_link(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param oldpath string
---@param newpath string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.link(ring, oldpath, newpath, flags, callback) end

ring.link = luring.link

---Puts a timeout behind the action that was queued last, which `key` names: after that time it
---is cancelled. Without a callback the timeout itself completes in silence; with one it gets
----ETIME, or -ECANCELED if the action has ended before. On a ring with auto_submit `reserve` room
---for both first: what is queued last may be submitted before the timeout is.
---Since Linux 5.5. Man page: io_uring_prep_link_timeout(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param key lightuserdata
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.link_timeout(ring, key, after, callback) end

ring.link_timeout = luring.link_timeout

---Gives a file one more name; `flags` are linkat's (AT_SYMLINK_FOLLOW).
---Since Linux 5.15. Man page: io_uring_prep_linkat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param olddfd luring.integer|userdata|table
---@param oldpath string
---@param newdfd luring.integer|userdata|table
---@param newpath string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.linkat(ring, olddfd, oldpath, newdfd, newpath, flags, callback) end

ring.linkat = luring.linkat

---Makes a socket listen; `backlog` is how many connections may wait.
---Since Linux 6.11. Man page: io_uring_prep_listen(3). Needs liburing 2.7.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param backlog luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.listen(ring, fd, backlog, callback) end

ring.listen = luring.listen

---Makes a folder with the permissions `mode`.
---Since Linux 5.15. Man page: io_uring_prep_mkdir(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param path string
---@param mode luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.mkdir(ring, path, mode, callback) end

ring.mkdir = luring.mkdir

---Makes a folder with the permissions `mode` (0 to 4095).
---Since Linux 5.15. Man page: io_uring_prep_mkdirat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param mode luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.mkdirat(ring, dfd, path, mode, callback) end

ring.mkdirat = luring.mkdirat

---Sends a message to the ring whose descriptor is `fd`: its `on_message` gets `len` as `res`, and
---`data`, 0 to 2^53-1.
---Since Linux 5.18. Man page: io_uring_prep_msg_ring(3). Needs liburing 2.2.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@param data luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.msg_ring(ring, fd, len, data, flags, callback) end

ring.msg_ring = luring.msg_ring

---Sends a descriptor of this ring's table to the ring whose descriptor is `fd`, into the slot
---`target` of its table, or without one into any that is free; `data` is a message's.
---Since Linux 6.0. Man page: io_uring_prep_msg_ring_fd(3). Needs liburing 2.4.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param source luring.integer
---@param target luring.integer
---@param data luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.msg_ring_fd(ring, fd, source, target, data, flags, callback) end

ring.msg_ring_fd = luring.msg_ring_fd

---Does nothing, and completes: what it costs to go through the ring.
---Since Linux 5.1. Man page: io_uring_prep_nop(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.nop(ring, callback) end

ring.nop = luring.nop

---Opens the file `path`; `flags` and `mode` are openat's.
---Since Linux 5.6. Man page: io_uring_prep_open(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.open(ring, path, flags, mode, callback) end

ring.open = luring.open

---As open, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_open_direct(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.open_direct(ring, path, flags, mode, slot, callback) end

ring.open_direct = luring.open_direct

---Opens the file `path`, from the folder `dfd` (or AT_FDCWD) if it is relative; `flags` are open's
---(O_RDONLY, O_RDWR + O_CREAT, ...), and `mode` the permissions of a new file (0 to 4095). `res` is the descriptor.
---Since Linux 5.6. Man page: io_uring_prep_openat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.openat(ring, dfd, path, flags, mode, callback) end

ring.openat = luring.openat

---Opens the file `path` as `how` says: `{flags=, mode=, resolve=}`, where `resolve` keeps the path
---within its folder (RESOLVE_BENEATH), or from links (RESOLVE_NO_SYMLINKS), ... `res` is the descriptor.
---Since Linux 5.6. Man page: io_uring_prep_openat2(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param how table
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.openat2(ring, dfd, path, how, callback) end

ring.openat2 = luring.openat2

---As openat2, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_openat2_direct(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param how table
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.openat2_direct(ring, dfd, path, how, slot, callback) end

ring.openat2_direct = luring.openat2_direct

---As openat, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_openat_direct(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.openat_direct(ring, dfd, path, flags, mode, slot, callback) end

ring.openat_direct = luring.openat_direct

---Makes a pipe; `flags` are pipe2's (O_CLOEXEC, O_NONBLOCK, O_DIRECT). The value is a list of two
---descriptors, to read from and to write to.
---Since Linux 6.16. Man page: io_uring_prep_pipe(3). Needs liburing 2.12.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.pipe(ring, flags, callback) end

ring.pipe = luring.pipe

---As pipe, into two slots: `slot` and the one behind it, or with IORING_FILE_INDEX_ALLOC any that are
---free. The value is a list of two `luring.fixed`, to read from and to write to.
---Since Linux 6.16. Man page: io_uring_prep_pipe_direct(3). Needs liburing 2.12.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param flags luring.integer
---@param slot luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.pipe_direct(ring, flags, slot, callback) end

ring.pipe_direct = luring.pipe_direct

---Waits until a descriptor is ready as `mask` says (POLLIN, POLLOUT, ...). `res` is what it is ready for.
---Since Linux 5.1. Man page: io_uring_prep_poll_add(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param mask luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.poll_add(ring, fd, mask, callback) end

ring.poll_add = luring.poll_add

---As poll_add, again and again: until a completion without IORING_CQE_F_MORE in its flags.
---Since Linux 5.13. Man page: io_uring_prep_poll_multishot(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param mask luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.poll_multishot(ring, fd, mask, callback) end

ring.poll_multishot = luring.poll_multishot

---Ends the poll that `key` names: it gets -ECANCELED, and this 0; -ENOENT if it has ended.
---Since Linux 5.1. Man page: io_uring_prep_poll_remove(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param key lightuserdata
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.poll_remove(ring, key, callback) end

ring.poll_remove = luring.poll_remove

---Gives the poll that `key` names another mask, and nothing else: a multishot goes on as one, and
---another ends once, whatever `flags` say; 0 will do.
---Since Linux 5.13. Man page: io_uring_prep_poll_update(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param key lightuserdata
---@param mask luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.poll_update(ring, key, mask, flags, callback) end

ring.poll_update = luring.poll_update

---As read, into a buffer or a view that lies in the registered one of the slot `buf_index`, from 0.
---The value is the buffer. -EFAULT: it does not lie there.
---Since Linux 5.1. Man page: io_uring_prep_read_fixed(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param buf luring.integer|table|luring.buffer|luring.group
---@param offset luring.integer
---@param buf_index luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.read_fixed(ring, fd, buf, offset, buf_index, callback) end

ring.read_fixed = luring.read_fixed

---Reads one time after the other from what can be polled (a pipe, a terminal, not a file) into buffers
---that the kernel selects from `group`: the callback gets each, until a completion without
---IORING_CQE_F_MORE in its flags. The value is as for read with a group.
---Since Linux 6.7. Man page: io_uring_prep_read_multishot(3). Needs liburing 2.6.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param group luring.group
---@param offset luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.read_multishot(ring, fd, group, offset, callback) end

ring.read_multishot = luring.read_multishot

---Reads into several buffers of the sizes in the list `sizes` (at most 1024), one after the other.
---The value is a list of strings, the last of which may be shorter. `flags` are preadv2's (RWF_NOWAIT, ...).
---Since Linux 5.1. Man page: io_uring_prep_readv2(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param sizes table
---@param offset luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.readv(ring, fd, sizes, offset, flags, callback) end

ring.readv = luring.readv

---As readv, into the buffers or views of the list `bufs` (at most 1024), which lie in the registered
---one of the slot `buf_index`. `res` is how many bytes there are; the first of the list get them.
---Since Linux 6.15. Man page: io_uring_prep_readv_fixed(3). Needs liburing 2.10.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param bufs table
---@param offset luring.integer
---@param flags luring.integer
---@param buf_index luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.readv_fixed(ring, fd, bufs, offset, flags, buf_index, callback) end

ring.readv_fixed = luring.readv_fixed

---Receives one time after the other into buffers that the kernel selects from `group`: the callback
---gets each, until a completion without IORING_CQE_F_MORE in its flags (0 at the peer's end, -ENOBUFS when
---no buffer is left, ...). The value is as for recv with a group.
---Since Linux 6.0. Man page: io_uring_prep_recv_multishot(3). Needs liburing 2.3.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param group luring.group
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.recv_multishot(ring, fd, group, flags, callback) end

ring.recv_multishot = luring.recv_multishot

---Receives a message of up to `size` bytes, or `{size=, control=, name=}`: `control` is the room for
---control data in bytes (0 to 65535), `name` says whether the sender's address is wanted. The value is
---`{data=, addr=, control=, fds=, flags=}`: what is not there is nil. Descriptors that come are
---close-on-exec, and closed if nobody gets them.
---Since Linux 5.3. Man page: io_uring_prep_recvmsg(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param size luring.integer|table|luring.buffer|luring.group
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.recvmsg(ring, fd, size, flags, callback) end

ring.recvmsg = luring.recvmsg

---As recvmsg, one message after the other, each in a buffer that the kernel selects from `group`: until a
---completion without IORING_CQE_F_MORE in its flags. An empty message is the last. `group` is a group
---that is not incremental, or `{group=, control=, name=}`, where `control` is the room for control data
---and `name` is false if nobody wants the sender's address: a buffer needs 16 bytes, 128 for the
---address, and those of `control`, before the data. The value is recvmsg's; for a manual group `data` is a view.
---Since Linux 6.0. Man page: io_uring_prep_recvmsg_multishot(3). Needs liburing 2.3.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param group luring.group
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.recvmsg_multishot(ring, fd, group, flags, callback) end

ring.recvmsg_multishot = luring.recvmsg_multishot

---Gives a file another name or place.
---Since Linux 5.11. Man page: io_uring_prep_rename(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param oldpath string
---@param newpath string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.rename(ring, oldpath, newpath, callback) end

ring.rename = luring.rename

---Gives a file another name or place; `flags` are renameat2's (RENAME_NOREPLACE, RENAME_EXCHANGE).
---Since Linux 5.11. Man page: io_uring_prep_renameat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param olddfd luring.integer|userdata|table
---@param oldpath string
---@param newdfd luring.integer|userdata|table
---@param newpath string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.renameat(ring, olddfd, oldpath, newdfd, newpath, flags, callback) end

ring.renameat = luring.renameat

---As send, without copying `data` into the kernel, which pays for large data; `zc_flags` are 0 or
---IORING_SEND_ZC_REPORT_USAGE. The string is kept until the kernel no longer needs it, which is a
---second completion. The callback hears of that one only with the flag: `res` is 0 then, and the value
---"zerocopy" or "copied".
---Since Linux 6.0. Man page: io_uring_prep_send_zc(3). Needs liburing 2.3.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param data string|luring.buffer
---@param flags luring.integer
---@param zc_flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.send_zc(ring, fd, data, flags, zc_flags, callback) end

ring.send_zc = luring.send_zc

---As send_zc, from a buffer or a view that lies in the registered one of the slot `buf_index`.
---Since Linux 6.0. Man page: io_uring_prep_send_zc_fixed(3). Needs liburing 2.3.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param buf string|luring.buffer
---@param flags luring.integer
---@param zc_flags luring.integer
---@param buf_index luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.send_zc_fixed(ring, fd, buf, flags, zc_flags, buf_index, callback) end

ring.send_zc_fixed = luring.send_zc_fixed

---Sends a message: `{data=, addr=, fds=, control=}`. `data` is a string or a list of strings; `addr` an
---address, for a socket that is not connected; `fds` a list of descriptors that the peer of a Unix
---socket gets (at most 253); `control` a list of `{level=, type=, data=}` (at most 16).
---Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param message table
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.sendmsg(ring, fd, message, flags, callback) end

ring.sendmsg = luring.sendmsg

---As sendmsg, without copying `data` into the kernel: see send_zc.
---Since Linux 6.1. Man page: io_uring_prep_sendmsg_zc(3). Needs liburing 2.3.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param message table
---@param flags luring.integer
---@param zc_flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.sendmsg_zc(ring, fd, message, flags, zc_flags, callback) end

ring.sendmsg_zc = luring.sendmsg_zc

---Sends `data`, a string or a list of strings, to an address, from a socket that need not be connected.
---Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param data string|string[]|luring.buffer
---@param flags luring.integer
---@param addr luring.address|string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.sendto(ring, fd, data, flags, addr, callback) end

ring.sendto = luring.sendto

---Sets the extended attribute `name` of the file `path` to the string `value`; `flags` are
---XATTR_CREATE or XATTR_REPLACE.
---Since Linux 5.19. Man page: io_uring_prep_setxattr(3). Needs liburing 2.2.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param name string
---@param value string|luring.buffer
---@param path string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.setxattr(ring, name, value, path, flags, callback) end

ring.setxattr = luring.setxattr

---Ends one side of a connection, or both: `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
---Since Linux 5.11. Man page: io_uring_prep_shutdown(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param how luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.shutdown(ring, fd, how, callback) end

ring.shutdown = luring.shutdown

---Makes a socket: `domain` is AF_INET, AF_INET6 or AF_UNIX, `kind` SOCK_STREAM or SOCK_DGRAM, with
---SOCK_CLOEXEC and SOCK_NONBLOCK; `flags` must be 0 so far. `res` is the descriptor.
---Since Linux 5.19. Man page: io_uring_prep_socket(3). Needs liburing 2.2.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.socket(ring, domain, kind, protocol, flags, callback) end

ring.socket = luring.socket

---As socket, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.19. Man page: io_uring_prep_socket_direct(3). Needs liburing 2.2.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param slot luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.socket_direct(ring, domain, kind, protocol, slot, flags, callback) end

ring.socket_direct = luring.socket_direct

---As socket_direct, into a free slot.
---Since Linux 5.19. Man page: io_uring_prep_socket_direct_alloc(3). Needs liburing 2.2.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.socket_direct_alloc(ring, domain, kind, protocol, flags, callback) end

ring.socket_direct_alloc = luring.socket_direct_alloc

---Moves up to `nbytes` bytes between two descriptors, one of them a pipe, without copying them
---through the program; an offset of -1 is the descriptor's own position, and the only one for a
---pipe. `res` is how many bytes were moved.
---Since Linux 5.7. Man page: io_uring_prep_splice(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd_in luring.integer|userdata|table
---@param off_in luring.integer
---@param fd_out luring.integer|userdata|table
---@param off_out luring.integer
---@param nbytes luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.splice(ring, fd_in, off_in, fd_out, off_out, nbytes, flags, callback) end

ring.splice = luring.splice

---Looks at a file: the value is a table with the C names of struct statx, those that its
---`stx_mask` says are there; times are `{tv_sec=, tv_nsec=}`. `flags` are AT_SYMLINK_NOFOLLOW,
---AT_EMPTY_PATH (with an empty path, `dfd` itself), ...; `mask` is STATX_BASIC_STATS or single ones.
---`stx_mnt_id`, `stx_dio_...`, `stx_subvol` and `stx_atomic_write_...` are there only if `mask` asks for
---them, by STATX_MNT_ID, STATX_DIOALIGN, STATX_SUBVOL and STATX_WRITE_ATOMIC, which older headers lack.
---Since Linux 5.6. Man page: io_uring_prep_statx(3).
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mask luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.statx(ring, dfd, path, flags, mask, callback) end

ring.statx = luring.statx

---Makes a symbolic link at `linkpath` that leads to `target`.
---Since Linux 5.15. Man page: io_uring_prep_symlink(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param target string
---@param linkpath string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.symlink(ring, target, linkpath, callback) end

ring.symlink = luring.symlink

---Makes a symbolic link at `linkpath` that leads to `target`.
---Since Linux 5.15. Man page: io_uring_prep_symlinkat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param target string
---@param newdirfd luring.integer|userdata|table
---@param linkpath string
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.symlinkat(ring, target, newdirfd, linkpath, callback) end

ring.symlinkat = luring.symlinkat

---Writes a part of a file's data to the disk: `len` bytes from `offset`; `flags` are
---SYNC_FILE_RANGE_WRITE and its kin. It says nothing of the file's attributes: see sync_file_range(2).
---Since Linux 5.2. Man page: io_uring_prep_sync_file_range(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@param offset luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.sync_file_range(ring, fd, len, offset, flags, callback) end

ring.sync_file_range = luring.sync_file_range

---Copies up to `nbytes` bytes from one pipe to another, which stay in the first.
---Since Linux 5.8. Man page: io_uring_prep_tee(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd_in luring.integer|userdata|table
---@param fd_out luring.integer|userdata|table
---@param nbytes luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.tee(ring, fd_in, fd_out, nbytes, flags, callback) end

ring.tee = luring.tee

---Ends after a time, in seconds or as `{tv_sec=, tv_nsec=}`, with -ETIME; or with 0 once `count` other
---completions have come (0: only the time counts). -ETIME breaks a chain, unless `flags` have
---IORING_TIMEOUT_ETIME_SUCCESS. IORING_TIMEOUT_ABS makes the time a moment.
---Since Linux 5.4. Man page: io_uring_prep_timeout(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@param count luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.timeout(ring, after, count, flags, callback) end

ring.timeout = luring.timeout

---Ends the timeout that `key` names, before its time: it gets -ECANCELED, and this 0; -ENOENT if it
---has ended.
---Since Linux 5.5. Man page: io_uring_prep_timeout_remove(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param key lightuserdata
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.timeout_remove(ring, key, flags, callback) end

ring.timeout_remove = luring.timeout_remove

---Gives the timeout that `key` names another time.
---Since Linux 5.11. Man page: io_uring_prep_timeout_update(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@param key lightuserdata
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.timeout_update(ring, after, key, flags, callback) end

ring.timeout_update = luring.timeout_update

---Removes a file; `flags` are unlinkat's.
---Since Linux 5.11. Man page: io_uring_prep_unlink(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param path string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.unlink(ring, path, flags, callback) end

ring.unlink = luring.unlink

---Removes a file, or with AT_REMOVEDIR in `flags` an empty folder.
---Since Linux 5.11. Man page: io_uring_prep_unlinkat(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.unlinkat(ring, dfd, path, flags, callback) end

ring.unlinkat = luring.unlinkat

---Waits until a child process changes: `idtype` is P_PID, P_PIDFD, P_PGID or P_ALL, `id` its number,
---`options` WEXITED, WNOHANG, ... The value is `{pid=, uid=, signo=, code=, status=}`, where `code` is
---CLD_EXITED, CLD_KILLED, ...
---Since Linux 6.7. Man page: io_uring_prep_waitid(3). Needs liburing 2.6.
---The callback gets `(cqe, res, value, flags)`.
---@param ring luring.ring
---@param idtype luring.integer
---@param id luring.integer
---@param options luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.waitid(ring, idtype, id, options, flags, callback) end

ring.waitid = luring.waitid

---As write, from a buffer or a view that lies in the registered one of the slot `buf_index`.
---Since Linux 5.1. Man page: io_uring_prep_write_fixed(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param buf string|luring.buffer
---@param offset luring.integer
---@param buf_index luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.write_fixed(ring, fd, buf, offset, buf_index, callback) end

ring.write_fixed = luring.write_fixed

---Writes the strings of the list `data` (at most 1024), one after the other, without joining them.
---`flags` are pwritev2's (RWF_APPEND, RWF_DSYNC, ...).
---Since Linux 5.1. Man page: io_uring_prep_writev2(3).
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param data table
---@param offset luring.integer
---@param flags luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.writev(ring, fd, data, offset, flags, callback) end

ring.writev = luring.writev

---As writev, from the buffers or views of the list `bufs` (at most 1024), which lie in the registered
---one of the slot `buf_index`.
---Since Linux 6.15. Man page: io_uring_prep_writev_fixed(3). Needs liburing 2.10.
---The callback gets `(cqe, res, nil, flags)`.
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@param bufs table
---@param offset luring.integer
---@param flags luring.integer
---@param buf_index luring.integer
---@param callback? fun(cqe: lightuserdata, res: integer, value: any, flags: integer)
---@return lightuserdata?
function luring.writev_fixed(ring, fd, bufs, offset, flags, buf_index, callback) end

ring.writev_fixed = luring.writev_fixed

---Whether completions had no room in the queue, so that the kernel keeps them until it is entered:
---a boolean. None is lost.
---Man page: io_uring_cq_has_overflow(3).
---@param ring luring.ring
---@return boolean
function luring.cq_has_overflow(ring) end

ring.cq_has_overflow = luring.cq_has_overflow

---How many completions are there.
---Man page: io_uring_cq_ready(3).
---@param ring luring.ring
---@return integer
function luring.cq_ready(ring) end

ring.cq_ready = luring.cq_ready

---How many actions, queued ones included, have a last completion that was not seen yet.
---@param ring luring.ring
---@return integer
function luring.in_flight(ring) end

ring.in_flight = luring.in_flight

---Gives the ring a table of buffers, which read_fixed and write_fixed find by their slots, from 0:
---the kernel need not look for the pages of each anew. `buffers` is a list of them, or of views,
---with false for an empty slot; or the number of slots, all empty. 0 or -errno.
---Since Linux 5.1. Man page: io_uring_register_buffers(3).
---@param ring luring.ring
---@param buffers luring.integer|table
---@return integer
function luring.register_buffers(ring, buffers) end

ring.register_buffers = luring.register_buffers

---Puts the buffers of a list into the slots from `offset` on; false empties one. How many were
---done, or -errno.
---Since Linux 5.13. Man page: io_uring_register_buffers_update_tag(3).
---@param ring luring.ring
---@param offset luring.integer
---@param buffers luring.integer|table
---@return integer
function luring.register_buffers_update(ring, offset, buffers) end

ring.register_buffers_update = luring.register_buffers_update

---Chooses the clock by which `submit_and_wait`'s timeout is measured: CLOCK_MONOTONIC or
---CLOCK_BOOTTIME. 0 or -errno.
---Since Linux 6.12. Man page: io_uring_register_clock(3).
---@param ring luring.ring
---@param clock luring.integer
---@return integer
function luring.register_clock(ring, clock) end

ring.register_clock = luring.register_clock

---Signals an eventfd with each completion, for a loop that waits for descriptors. 0 or -errno.
---Since Linux 5.2. Man page: io_uring_register_eventfd(3).
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@return integer
function luring.register_eventfd(ring, fd) end

ring.register_eventfd = luring.register_eventfd

---As register_eventfd, but only for what the kernel's workers have done (fsync, say). 0 or -errno.
---Since Linux 5.6. Man page: io_uring_register_eventfd(3).
---@param ring luring.ring
---@param fd luring.integer|userdata|table
---@return integer
function luring.register_eventfd_async(ring, fd) end

ring.register_eventfd_async = luring.register_eventfd_async

---Chooses free slots (IORING_FILE_INDEX_ALLOC) from the `len` ones from `offset` on, and no
---others. 0 or -errno.
---Since Linux 6.0. Man page: io_uring_register_file_alloc_range(3).
---@param ring luring.ring
---@param offset luring.integer
---@param len luring.integer
---@return integer
function luring.register_file_alloc_range(ring, offset, len) end

ring.register_file_alloc_range = luring.register_file_alloc_range

---Gives the ring a table of files, whose slots actions take in place of a descriptor:
---`luring.fixed(slot)`. `files` is a list of descriptors, -1 for an empty slot, or the
---number of slots, all empty. The table holds the files: their descriptors may be closed.
---0, or -errno: -EMFILE for more slots than the process may have descriptors.
---Since Linux 5.1. Man page: io_uring_register_files(3).
---@param ring luring.ring
---@param files luring.integer|table
---@return integer
function luring.register_files(ring, files) end

ring.register_files = luring.register_files

---Puts the descriptors of a list into the slots from `offset` on; -1 empties a slot, and
---IORING_REGISTER_FILES_SKIP leaves one as it is. How many were done, or -errno.
---Since Linux 5.5. Man page: io_uring_register_files_update(3).
---@param ring luring.ring
---@param offset luring.integer
---@param files table
---@return integer
function luring.register_files_update(ring, offset, files) end

ring.register_files_update = luring.register_files_update

---Lets the kernel's workers of this ring run on the processors of a list only, which count
---from 0. 0 or -errno.
---Since Linux 5.14. Man page: io_uring_register_iowq_aff(3).
---@param ring luring.ring
---@param cpus table
---@return integer
function luring.register_iowq_aff(ring, cpus) end

ring.register_iowq_aff = luring.register_iowq_aff

---Limits the kernel's workers of this ring, for files and for all else; 0 leaves a limit as it is.
---The limits that there were before, two numbers, or -errno.
---Since Linux 5.15. Man page: io_uring_register_iowq_max_workers(3).
---@param ring luring.ring
---@param bounded luring.integer
---@param unbounded luring.integer
---@return integer
---@return integer?
function luring.register_iowq_max_workers(ring, bounded, unbounded) end

ring.register_iowq_max_workers = luring.register_iowq_max_workers

---Looks for what has arrived from the network while it waits for completions, for
---`busy_poll_to` microseconds (`{busy_poll_to=, prefer_busy_poll=}`). 0 or -errno.
---Since Linux 6.9. Man page: io_uring_register_napi(3).
---@param ring luring.ring
---@param napi table
---@return integer
function luring.register_napi(ring, napi) end

ring.register_napi = luring.register_napi

---Notes who the program is now, and gives a number for `sqe_set_personality`: actions
---with it are done by that user's and group's rights, whoever the program is then. Or -errno.
---Since Linux 5.6. Man page: io_uring_register_personality(3).
---@param ring luring.ring
---@return integer
function luring.register_personality(ring) end

ring.register_personality = luring.register_personality

---Gives the ring queues of another size: `entries` SQEs, and `cq_entries` CQEs, or twice as many.
---What is queued and what is there moves along. Only for a ring with IORING_SETUP_DEFER_TASKRUN. A
---callback may call it too. 0 or -errno: -EOVERFLOW if that has no room.
---Since Linux 6.13. Man page: io_uring_resize_rings(3).
---@param ring luring.ring
---@param entries luring.integer
---@param cq_entries? luring.integer
---@return integer
function luring.resize_rings(ring, entries, cq_entries) end

ring.resize_rings = luring.resize_rings

---The number of the ring's descriptor, which is readable when there are completions.
---@param ring luring.ring
---@return integer
function luring.ring_fd(ring) end

ring.ring_fd = luring.ring_fd

---How many actions are queued and not submitted.
---Man page: io_uring_sq_ready(3).
---@param ring luring.ring
---@return integer
function luring.sq_ready(ring) end

ring.sq_ready = luring.sq_ready

---How many more actions can be queued before a submit.
---Man page: io_uring_sq_space_left(3).
---@param ring luring.ring
---@return integer
function luring.sq_space_left(ring) end

ring.sq_space_left = luring.sq_space_left

---Takes the ring's table of buffers away; what is in flight goes on. 0 or -errno.
---Since Linux 5.1. Man page: io_uring_unregister_buffers(3).
---@param ring luring.ring
---@return integer
function luring.unregister_buffers(ring) end

ring.unregister_buffers = luring.unregister_buffers

---Signals the eventfd no more. 0 or -errno.
---Since Linux 5.2. Man page: io_uring_unregister_eventfd(3).
---@param ring luring.ring
---@return integer
function luring.unregister_eventfd(ring) end

ring.unregister_eventfd = luring.unregister_eventfd

---Takes the ring's table of files away; what is in flight on a slot goes on. 0 or -errno.
---Since Linux 5.1. Man page: io_uring_unregister_files(3).
---@param ring luring.ring
---@return integer
function luring.unregister_files(ring) end

ring.unregister_files = luring.unregister_files

---Lets them run on every processor again. 0 or -errno.
---Since Linux 5.14. Man page: io_uring_unregister_iowq_aff(3).
---@param ring luring.ring
---@return integer
function luring.unregister_iowq_aff(ring) end

ring.unregister_iowq_aff = luring.unregister_iowq_aff

---Does that no more. 0 or -errno.
---Since Linux 6.9. Man page: io_uring_unregister_napi(3).
---@param ring luring.ring
---@return integer
function luring.unregister_napi(ring) end

ring.unregister_napi = luring.unregister_napi

---Forgets it. 0 or -errno.
---Since Linux 5.6. Man page: io_uring_unregister_personality(3).
---@param ring luring.ring
---@param id luring.integer
---@return integer
function luring.unregister_personality(ring, id) end

ring.unregister_personality = luring.unregister_personality

return luring
