---@meta luring.co

-- For editors: lua-language-server and its kin. Made by `make docs`.

---@class luring.co.captured_program
---@field [integer] string
---@field input? string
---@field timeout? number
---@field max? integer
---@field stdin? luring.integer|userdata|table
---@field stdout? luring.integer|userdata|table
---@field stderr? luring.integer|userdata|table
---@field cwd? string
---@field env? table
---@field group? boolean

---@class luring.co.channel
local channel = {}

---@class luring.co.connect_options
---@field timeout? number
---@field nodelay? boolean
---@field bind? string

---@class luring.co.event
local event = {}

---@class luring.co.file
local file = {}

---@class luring.co.listen_options
---@field backlog? luring.integer
---@field reuseport? boolean
---@field v6only? boolean
---@field nodelay? boolean

---@class luring.co.loop
local loop = {}

---@class luring.co.loop_options
---@field ring? luring.ring
---@field clock? string

---@class luring.co.open_options
---@field beneath? string|luring.integer|userdata|table
---@field perm? luring.integer

---@class luring.co.output
---@field ok boolean
---@field kind? string
---@field status? integer
---@field stdout string
---@field stderr string

---@class luring.co.process
---@field stdin? luring.co.stream
---@field stdout? luring.co.stream
---@field stderr? luring.co.stream
local process = {}

---@class luring.co.program
---@field [integer] string
---@field stdin? string|luring.integer|userdata|table
---@field stdout? string|luring.integer|userdata|table
---@field stderr? string|luring.integer|userdata|table
---@field cwd? string
---@field env? table
---@field group? boolean

---@class luring.co.relay_options
---@field idle? number

---@class luring.co.scope
local scope = {}

---@class luring.co.semaphore
local semaphore = {}

---@class luring.co.serve_options
---@field max? luring.integer
---@field on_error? fun(err: any, client: luring.co.stream): any...

---@class luring.co.server
local server = {}

---@class luring.co.stat
---@field type? string
---@field size integer
---@field [string] any

---@class luring.co.stream
local stream = {}

---@class luring.co.task
---@field name? string
local task = {}

---@class luring.co.task_line
---@field name string
---@field status string
---@field waits? string
---@field since? number
---@field where? string
---@field parent? string

---@class luring.co.write_options
---@field sync? boolean
---@field atomic? boolean

---@class luring.co: luring.constants
---@field stdin luring.co.stream
---@field stdout luring.co.stream
---@field stderr luring.co.stream
local co = {}

---Runs `f` as the first task, on a ring of its own, until all tasks have ended: its results, or the error that nobody took.
---When nothing can happen any more it raises a deadlock, which lists the tasks and where they wait. Where the kernel is
---short of memory or room it tries again, and raises when three seconds have not helped.
---@param f function
---@param ... any
---@return any ...
function co.run(f, ...) end

---A loop to be run in other loops. `options`: `ring`, a ring of the program's own; `clock = "virtual"`, a clock that jumps
---to the next deadline when nothing is ready or in flight, for tests.
---@param options? luring.co.loop_options
---@return luring.co.loop
function co.loop(options) end

---As `co.run`, on this loop.
---@param f function
---@param ... any
---@return any ...
function loop:run(f, ...) end

---Starts a task from outside of tasks.
---@param f function
---@param ... any
---@return luring.co.task
function loop:spawn(f, ...) end

---Runs what is ready, submits, and never waits: nil when no task is left, 0 when some are ready, else the seconds to the
---next deadline, which may be `math.huge`. It raises a task's error that nobody took. `loop:pollfd()`, `loop:events()` and
---`loop:timeout()` are what `cqueues.poll` asks for: `while loop:step() do cqueues.poll(loop) end`. Without tasks it may be
---polled too: `loop:spawn` wakes whoever does.
---@return number?
function loop:step() end

---Starts a task in the running task's scope; it runs when its parent next waits.
---@param f function
---@param ... any
---@return luring.co.task
function co.spawn(f, ...) end

---The same, but its scope doesn't wait for it: it is cancelled when the others have ended.
---@param f function
---@param ... any
---@return luring.co.task
function co.background(f, ...) end

---Waits for its end: its results, or its error. That of a cancelled one is `task NAME was cancelled`.
---@return any ...
function task:join() end

---Asks it to end.
---@param why? any
function task:cancel(why) end

---"new", "running", "ready", "waiting", "done", "failed" or "cancelled".
---@return string
function task:status() end

---Where it is. `task.name` may be set.
---@return string
function task:traceback() end

---The running task.
---@return luring.co.task
function co.self() end

---A list of `{name=, status=, waits=, since=, where=, parent=}`, each of which `tostring` makes a line of. `since` is when
---`co.spawn` or `co.background` made it, or its connection came, as `co.now` tells.
---@return luring.co.task_line[]
function co.tasks() end

---Calls `f(s)`, and returns its results when all tasks in it have ended and what it owns is closed. `s:spawn(f, ...)` starts
---a task in it, `s:defer(f)` calls `f` at its end, `s:own(x)` moves `x` here, and `s:cancel(why?)` ends it:
---`nil, why, ECANCELED`. A scope that has ended takes nothing any more: these raise.
---@param f fun(s: luring.co.scope): any...
---@return any ...
function co.scope(f) end

---A stretch that is not cancelled, for cleaning up.
---@param f function
---@param ... any
---@return any ...
function co.shield(f, ...) end

---Whether an error is a cancellation, and why.
---@param err any
---@return boolean
---@return any?
function co.cancelled(err) end

---The further errors that came with one that is no string.
---@param err any
---@return table
function co.others(err) end

---As `pcall`, but a task may wait inside, and a cancellation is not caught. Also `co.xpcall(f, handler, ...)`.
---@param f function
---@param ... any
---@return boolean
---@return any ...
function co.pcall(f, ...) end

---As `coroutine.wrap`, for a coroutine that may wait.
---@param f function
---@return function
function co.wrap(f) end

---The results of `f`, or `nil, "timed out", ETIMEDOUT`.
---@param seconds number
---@param f function
---@param ... any
---@return any ...
function co.timeout(seconds, f, ...) end

---Runs them at once: a list of their first results, in order. If one gives nil and a message, the others are cancelled, and
---that is what it gives.
---@param functions function[]
---@return table?
---@return string? message
---@return integer? errno
function co.all(functions) end

---The first result that is not nil; the others are cancelled. If there is none, the last `nil, message, errno`.
---@param functions function[]
---@return any ...
function co.any(functions) end

---`f` of each item of a list, or of each that an iterator gives, at most `n` at once; results as those of `co.all`.
---@param n number
---@param items table|function
---@param f function
---@return table?
---@return string? message
---@return integer? errno
function co.map(n, items, f) end

---`co.sleep(0)` lets the others run once.
---@param seconds number
---@return boolean
function co.sleep(seconds) end

---Seconds on the loop's clock.
---@return number
function co.now() end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@param n? number
---@return luring.co.channel
function co.channel(n) end

---`event:wait()` waits until `event:set()` has been called, which may be done from outside of tasks.
---@return luring.co.event
function co.event() end

---`semaphore:with(f, ...)` calls `f` while at most `n` are in it. Also `semaphore:acquire()` and `semaphore:release()`.
---@param n luring.integer
---@return luring.co.semaphore
function co.semaphore(n) end

---The raw form: `co.await(luring.fsync, fd, 0)` gives `res, value, flags`.
---@param action function
---@param ... any
---@return integer
---@return any
---@return integer
function co.await(action, ...) end

---Waits until a descriptor is ready for reading ("r") or writing ("w").
---@param fd luring.integer|userdata|table
---@param mode string
---@return boolean?
---@return string? message
---@return integer? errno
function co.poll(fd, mode) end

---`host` is a name, a numeric address or "unix:/path". A name's addresses are tried in turn, each with a head start of a
---quarter of a second before the next; the first connection is taken. `options`: `timeout` for all of that, `nodelay`, and
---`bind`, a numeric address of this machine to connect from.
---@param host string
---@param port? luring.integer
---@param options? luring.co.connect_options
---@return luring.co.stream?
---@return string? message
---@return integer? errno
function co.connect(host, port, options) end

---The addresses of a name, as the system finds them (/etc/hosts, DNS, ...), in tables as `luring` takes them. `service` is
---a port or a service's name. The other tasks go on meanwhile.
---@param host string
---@param service? string|luring.integer
---@return table?
---@return string? message
---@return integer? errno
function co.resolve(host, service) end

---A stream of a socket, a pipe or a terminal that the program has.
---
---A stream that waits for data has a buffer of its own, of 4 KiB. Streams that are made once there have been a thousand tasks
---at a time read into 1024 such buffers that they share (Linux 5.19), so that those that wait have none.
---@param fd luring.integer|userdata|table
---@return luring.co.stream
function co.stream(fd) end

---What there is, at least a byte and at most `n`; nil alone at the end.
---@param n? luring.integer
---@return string?
---@return string? message
---@return integer? errno
function stream:read(n) end

---Exactly so many, or none.
---@param n luring.integer
---@return string?
---@return string? message
---@return integer? errno
function stream:read_exactly(n) end

---A line without its LF or CRLF, or with it if `form` is "L"; nil at the end; a last line as it is. One longer than `max`,
---65536 by default, is `nil, "line too long", EMSGSIZE`, and stays.
---@param max? luring.integer
---@param form? string
---@return string?
---@return string? message
---@return integer? errno
function stream:line(max, form) end

---All until the end.
---@param max? luring.integer
---@return string?
---@return string? message
---@return integer? errno
function stream:read_all(max) end

---The next `n` bytes, which stay. `stream:buffered()` says how many have been read and not taken.
---@param n luring.integer
---@return string?
---@return string? message
---@return integer? errno
function stream:peek(n) end

---Writes all of its strings and numbers; or `nil, message, errno, written`. A write that was ended half way leaves a stream
---that refuses further ones.
---@param ... string|number
---@return luring.co.stream?
---@return string? message
---@return integer? errno
---@return integer? written
function stream:write(...) end

---Sends a part of a file, through a buffer and no string: how much; or `nil, message, errno, sent`. What ends it half way
---leaves a stream that refuses further writes.
---@param file luring.co.file|luring.integer
---@param offset? luring.integer
---@param n? luring.integer
---@return integer?
---@return string? message
---@return integer? errno
---@return integer? sent
function stream:sendfile(file, offset, n) end

---How long a wait for reading or writing may take; nil is for ever. `nil, "timed out", ETIMEDOUT` loses no byte.
---@param read? number
---@param write? number
---@return luring.co.stream
function stream:settimeout(read, write) end

---Says that nothing more will be written.
---@return boolean?
---@return string? message
---@return integer? errno
function stream:shutdown() end

---Ends what waits on it, which gets `nil, "closed", ECANCELED`, and closes it.
---@return boolean?
---@return string? message
---@return integer? errno
function stream:close() end

---Gives away the descriptor and what was read and not taken.
---@return integer?
---@return string?
---@return integer? errno
function stream:release() end

---The other end's host and port. Also `stream:setopt(level, name, value)` and `stream:getfd()`.
---
---`for line in stream:lines()` and `for data in stream:chunks()` are not for PUC Lua 5.1. One task reads and one writes at a
---time: a second raises.
---@return string?
---@return integer|string?
---@return integer? errno
function stream:peer() end

---Passes on what each brings, half-closes included, until both have ended. `options`: `idle`, seconds without a byte either
---way, after which it gives `nil, "timed out", ETIMEDOUT`.
---@param a luring.co.stream
---@param b luring.co.stream
---@param options? luring.co.relay_options
---@return boolean?
---@return string? message
---@return integer? errno
function co.relay(a, b, options) end

---`host` is a name, a numeric address, "*" or "unix:/path". `options`: `backlog`, `reuseport`, `v6only`, `nodelay`.
---`server:address()` is where it listens: for port 0 the system chooses one.
---@param host string
---@param port? luring.integer
---@param options? luring.co.listen_options
---@return luring.co.server?
---@return string? message
---@return integer? errno
function co.listen(host, port, options) end

---Runs `f(client)` as a task in a scope of its own for each connection, and returns when the server is closed and all have
---ended. An error, or `nil, message` from `f`, ends that connection and goes to `on_error(err, client)` of the options,
---which writes it to stderr by default. `max` bounds the connections. When descriptors are short it waits for one. One task
---serves on a server: a second raises.
---@param f fun(client: luring.co.stream): any...
---@param options? luring.co.serve_options
---@return boolean?
---@return string? message
---@return integer? errno
function server:serve(f, options) end

---One connection. Also `for client in server:accepts()`, not on PUC Lua 5.1.
---@return luring.co.stream?
---@return string? message
---@return integer? errno
function server:accept() end

---Stops accepting; connections go on.
---@return boolean
function server:close() end

---Stops accepting, ends waiting reads with `nil, "stopping"`, and waits for the connections; what is left after `grace`
---seconds is cancelled.
---@param grace? number
---@return boolean
function server:stop(grace) end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@param path string
---@param mode? string
---@param options? luring.co.open_options
---@return luring.co.file?
---@return string? message
---@return integer? errno
function co.open(path, mode, options) end

---A file of a descriptor that the program has. `co.stdin`, `co.stdout` and `co.stderr` are streams.
---
---What is read without an offset is read in order, by one task at a time: a second raises.
---@param fd luring.integer|userdata|table
---@return luring.co.file
function co.file(fd) end

---All of it.
---@param path string
---@return string?
---@return string? message
---@return integer? errno
function co.read_file(path) end

---`options`: `sync`, to have it on the disk, and `atomic`, so that a reader finds the old contents or the new.
---@param path string
---@param data string
---@param options? luring.co.write_options
---@return boolean?
---@return string? message
---@return integer? errno
function co.write_file(path, data, options) end

---Starts a program: `co.process{"cat", stdin = "pipe", stdout = "pipe"}`. `stdin`, `stdout`, `stderr` are "pipe", which makes
---a stream of that name, or descriptors; also `cwd`, `env`, and `group = true` for a process group of its own. `p:wait()`
---gives `true or nil, "exit" or "signal", n`; `p:kill(signal?)` sends TERM or another; `p:detach()` leaves it running at its
---owner's end, where it gets TERM otherwise, and KILL five seconds later. With a group, both are for all in it, also for
---those that a program leaves there which has ended.
---@param program luring.co.program
---@return luring.co.process?
---@return string? message
---@return integer? errno
function co.process(program) end

---Runs a program to its end: `{ok=, kind=, status=, stdout=, stderr=}`, where `kind` is "exit" or "signal", and `status`
---its number. `input` in the table is what it reads. With `timeout` and `max` it may give `nil, message, errno` and, fourth,
---what there was by then.
---@param program luring.co.captured_program
---@return luring.co.output?
---@return string? message
---@return integer? errno
---@return luring.co.output? output
function co.capture(program) end

---Waits for one of these signals and gives its name, of a real-time signal its number: `co.signal("TERM", "INT")`. They do
---nothing else from the first call until `run` ends, and those between two calls are remembered. Of two tasks that wait for
---the same signals, one gets each. The programs that this one starts are not affected.
---@param ... string|luring.integer
---@return string|integer?
---@return string? message
---@return integer? errno
function co.signal(...) end

---Runs what is ready, submits, and never waits: nil when no task is left, 0 when some are ready, else the seconds to the
---next deadline, which may be `math.huge`. It raises a task's error that nobody took. `loop:pollfd()`, `loop:events()` and
---`loop:timeout()` are what `cqueues.poll` asks for: `while loop:step() do cqueues.poll(loop) end`. Without tasks it may be
---polled too: `loop:spawn` wakes whoever does.
---@return integer
function loop:pollfd() end

---Runs what is ready, submits, and never waits: nil when no task is left, 0 when some are ready, else the seconds to the
---next deadline, which may be `math.huge`. It raises a task's error that nobody took. `loop:pollfd()`, `loop:events()` and
---`loop:timeout()` are what `cqueues.poll` asks for: `while loop:step() do cqueues.poll(loop) end`. Without tasks it may be
---polled too: `loop:spawn` wakes whoever does.
---@return string
function loop:events() end

---Runs what is ready, submits, and never waits: nil when no task is left, 0 when some are ready, else the seconds to the
---next deadline, which may be `math.huge`. It raises a task's error that nobody took. `loop:pollfd()`, `loop:events()` and
---`loop:timeout()` are what `cqueues.poll` asks for: `while loop:step() do cqueues.poll(loop) end`. Without tasks it may be
---polled too: `loop:spawn` wakes whoever does.
---@return number
function loop:timeout() end

---Calls `f(s)`, and returns its results when all tasks in it have ended and what it owns is closed. `s:spawn(f, ...)` starts
---a task in it, `s:defer(f)` calls `f` at its end, `s:own(x)` moves `x` here, and `s:cancel(why?)` ends it:
---`nil, why, ECANCELED`. A scope that has ended takes nothing any more: these raise.
---@param f function
---@param ... any
---@return luring.co.task
function scope:spawn(f, ...) end

---Calls `f(s)`, and returns its results when all tasks in it have ended and what it owns is closed. `s:spawn(f, ...)` starts
---a task in it, `s:defer(f)` calls `f` at its end, `s:own(x)` moves `x` here, and `s:cancel(why?)` ends it:
---`nil, why, ECANCELED`. A scope that has ended takes nothing any more: these raise.
---@param f function
function scope:defer(f) end

---Calls `f(s)`, and returns its results when all tasks in it have ended and what it owns is closed. `s:spawn(f, ...)` starts
---a task in it, `s:defer(f)` calls `f` at its end, `s:own(x)` moves `x` here, and `s:cancel(why?)` ends it:
---`nil, why, ECANCELED`. A scope that has ended takes nothing any more: these raise.
---@param x table
---@return table
function scope:own(x) end

---Calls `f(s)`, and returns its results when all tasks in it have ended and what it owns is closed. `s:spawn(f, ...)` starts
---a task in it, `s:defer(f)` calls `f` at its end, `s:own(x)` moves `x` here, and `s:cancel(why?)` ends it:
---`nil, why, ECANCELED`. A scope that has ended takes nothing any more: these raise.
---@param why? any
function scope:cancel(why) end

---As `pcall`, but a task may wait inside, and a cancellation is not caught. Also `co.xpcall(f, handler, ...)`.
---@param f function
---@param handler function
---@param ... any
---@return boolean
---@return any ...
function co.xpcall(f, handler, ...) end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@param value any
---@return boolean?
---@return string? message
function channel:send(value) end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@return any?
---@return string? message
function channel:recv() end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@param value any
---@return boolean?
---@return string? message
function channel:try_send(value) end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@return any?
---@return string? message
function channel:try_recv() end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
function channel:close() end

---Hands values on, in order; up to `n` wait in it. With 0, the default, a sender waits for its receiver; `math.huge` is
---allowed. `channel:send(value)` and `channel:recv()` wait, and give `nil, "closed"` when it is closed and empty;
---`channel:try_send(value)` gives false when there is no room, `channel:try_recv()` nil when there is nothing;
---`channel:close()`. `for value in channel:values()` (not on PUC Lua 5.1). nil can't be sent.
---@return fun(): any
function channel:values() end

---`event:wait()` waits until `event:set()` has been called, which may be done from outside of tasks.
function event:set() end

---`event:wait()` waits until `event:set()` has been called, which may be done from outside of tasks.
---@return boolean
function event:wait() end

---`semaphore:with(f, ...)` calls `f` while at most `n` are in it. Also `semaphore:acquire()` and `semaphore:release()`.
---@param f function
---@param ... any
---@return any ...
function semaphore:with(f, ...) end

---`semaphore:with(f, ...)` calls `f` while at most `n` are in it. Also `semaphore:acquire()` and `semaphore:release()`.
---@return boolean
function semaphore:acquire() end

---`semaphore:with(f, ...)` calls `f` while at most `n` are in it. Also `semaphore:acquire()` and `semaphore:release()`.
function semaphore:release() end

---The next `n` bytes, which stay. `stream:buffered()` says how many have been read and not taken.
---@return integer
function stream:buffered() end

---The other end's host and port. Also `stream:setopt(level, name, value)` and `stream:getfd()`.
---
---`for line in stream:lines()` and `for data in stream:chunks()` are not for PUC Lua 5.1. One task reads and one writes at a
---time: a second raises.
---@return integer
function stream:getfd() end

---The other end's host and port. Also `stream:setopt(level, name, value)` and `stream:getfd()`.
---
---`for line in stream:lines()` and `for data in stream:chunks()` are not for PUC Lua 5.1. One task reads and one writes at a
---time: a second raises.
---@param level luring.integer
---@param name luring.integer
---@param value luring.integer|string
---@return boolean?
---@return string? message
---@return integer? errno
function stream:setopt(level, name, value) end

---The other end's host and port. Also `stream:setopt(level, name, value)` and `stream:getfd()`.
---
---`for line in stream:lines()` and `for data in stream:chunks()` are not for PUC Lua 5.1. One task reads and one writes at a
---time: a second raises.
---@param max? luring.integer
---@param form? string
---@return fun(): string?
function stream:lines(max, form) end

---The other end's host and port. Also `stream:setopt(level, name, value)` and `stream:getfd()`.
---
---`for line in stream:lines()` and `for data in stream:chunks()` are not for PUC Lua 5.1. One task reads and one writes at a
---time: a second raises.
---@param n? luring.integer
---@return fun(): string?
function stream:chunks(n) end

---`host` is a name, a numeric address, "*" or "unix:/path". `options`: `backlog`, `reuseport`, `v6only`, `nodelay`.
---`server:address()` is where it listens: for port 0 the system chooses one.
---@return string?
---@return integer|string?
---@return integer? errno
function server:address() end

---One connection. Also `for client in server:accepts()`, not on PUC Lua 5.1.
---@return fun(): luring.co.stream?
function server:accepts() end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@param n? luring.integer
---@param at? luring.integer
---@return string?
---@return string? message
---@return integer? errno
function file:read(n, at) end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@param s string
---@param at? luring.integer
---@return integer?
---@return string? message
---@return integer? errno
---@return integer? written
function file:write(s, at) end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@return boolean?
---@return string? message
---@return integer? errno
function file:sync() end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@return luring.co.stat?
---@return string? message
---@return integer? errno
function file:stat() end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@param n? luring.integer
---@return boolean?
---@return string? message
---@return integer? errno
function file:truncate(n) end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@return boolean?
---@return string? message
---@return integer? errno
function file:close() end

---With Lua's modes. `options`: `beneath`, a folder (or its descriptor) that the path must not leave; `perm`, a new file's
---permissions (`tonumber("640", 8)`). A file has a stream's methods for reading, which give nil alone at its end.
---`file:read(n?, at?)` and `file:write(s, at?)` take an offset, which leaves the file's own position alone; without `n` it
---reads 64 KiB at most. `file:write` gives how many bytes it has written. `file:sync()`, `file:stat()` (statx's fields,
---`type` and `size`), `file:truncate(n?)`, `file:close()`, `file:getfd()`.
---@return integer
function file:getfd() end

---Starts a program: `co.process{"cat", stdin = "pipe", stdout = "pipe"}`. `stdin`, `stdout`, `stderr` are "pipe", which makes
---a stream of that name, or descriptors; also `cwd`, `env`, and `group = true` for a process group of its own. `p:wait()`
---gives `true or nil, "exit" or "signal", n`; `p:kill(signal?)` sends TERM or another; `p:detach()` leaves it running at its
---owner's end, where it gets TERM otherwise, and KILL five seconds later. With a group, both are for all in it, also for
---those that a program leaves there which has ended.
---@return boolean?
---@return string
---@return integer
function process:wait() end

---Starts a program: `co.process{"cat", stdin = "pipe", stdout = "pipe"}`. `stdin`, `stdout`, `stderr` are "pipe", which makes
---a stream of that name, or descriptors; also `cwd`, `env`, and `group = true` for a process group of its own. `p:wait()`
---gives `true or nil, "exit" or "signal", n`; `p:kill(signal?)` sends TERM or another; `p:detach()` leaves it running at its
---owner's end, where it gets TERM otherwise, and KILL five seconds later. With a group, both are for all in it, also for
---those that a program leaves there which has ended.
---@return luring.co.process
function process:detach() end

---@return boolean
function process:close() end

---Starts a program: `co.process{"cat", stdin = "pipe", stdout = "pipe"}`. `stdin`, `stdout`, `stderr` are "pipe", which makes
---a stream of that name, or descriptors; also `cwd`, `env`, and `group = true` for a process group of its own. `p:wait()`
---gives `true or nil, "exit" or "signal", n`; `p:kill(signal?)` sends TERM or another; `p:detach()` leaves it running at its
---owner's end, where it gets TERM otherwise, and KILL five seconds later. With a group, both are for all in it, also for
---those that a program leaves there which has ended.
---@param signal? string|luring.integer
---@return boolean?
---@return string? message
---@return integer? errno
function process:kill(signal) end

---Exactly so many, or none.
---@param n luring.integer
---@return string?
---@return string? message
---@return integer? errno
function file:read_exactly(n) end

---A line without its LF or CRLF, or with it if `form` is "L"; nil at the end; a last line as it is. One longer than `max`,
---65536 by default, is `nil, "line too long", EMSGSIZE`, and stays.
---@param max? luring.integer
---@param form? string
---@return string?
---@return string? message
---@return integer? errno
function file:line(max, form) end

---All until the end.
---@param max? luring.integer
---@return string?
---@return string? message
---@return integer? errno
function file:read_all(max) end

---The next `n` bytes, which stay. `stream:buffered()` says how many have been read and not taken.
---@param n luring.integer
---@return string?
---@return string? message
---@return integer? errno
function file:peek(n) end

---@return integer
function file:buffered() end

---@param max? luring.integer
---@param form? string
---@return fun(): string?
function file:lines(max, form) end

---@param n? luring.integer
---@return fun(): string?
function file:chunks(n) end

---@class luring.co.io
local actions = {}

---Accepts a connection on a listening socket; `flags` are accept4's (SOCK_CLOEXEC,
---SOCK_NONBLOCK). `res` is the new descriptor; it is closed if nobody gets it.
---Since Linux 5.5. Man page: io_uring_prep_accept(3).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.accept(fd, flags) end

---As accept, but the connection goes into `slot` (a number, `luring.fixed` of it, or with
---IORING_FILE_INDEX_ALLOC a free one) of the ring's table of files, and has no descriptor; a file
---that is there is closed. The value is `luring.fixed(slot)`. SOCK_CLOEXEC makes no sense then.
----ENFILE: no slot is free; -ENXIO: the ring has no table.
---Since Linux 5.15. Man page: io_uring_prep_accept_direct(3).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@param slot luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.accept_direct(fd, flags, slot) end

---Accepts a connection, and says who it is from: the value is the peer's address.
---Since Linux 5.5. Man page: io_uring_prep_accept(3).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.accept_from(fd, flags) end

---Gives a socket an address of this machine, as the helpers' tables have them.
---Since Linux 6.11. Man page: io_uring_prep_bind(3).
---@param fd luring.integer|userdata|table
---@param addr luring.address|string
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.bind(fd, addr) end

---Cancels the action that `key` names, which then ends with -ECANCELED or -EINTR, if that is
---still possible: one that is not submitted yet never runs. `res` is 0, or -ENOENT if there is
---none (any more), or -EALREADY if it can't be stopped. With IORING_ASYNC_CANCEL_ALL in `flags`,
---`res` is how many were cancelled. IORING_ASYNC_CANCEL_ANY is `cancel_all`.
---Since Linux 5.5. Man page: io_uring_prep_cancel(3).
---@param key lightuserdata
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.cancel(key, flags) end

---Cancels all that is in flight. `res` is how many were cancelled.
---Since Linux 5.19. Man page: io_uring_prep_cancel(3).
---@return integer? value
---@return string? message
---@return integer? errno
function actions.cancel_all() end

---Cancels all that is in flight on a descriptor, or with 0 as `flags` one action. `res` is how
---many were cancelled, or for one 0 or -ENOENT.
---Since Linux 5.19. Man page: io_uring_prep_cancel_fd(3).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.cancel_fd(fd, flags) end

---Closes a descriptor, or the file in a slot (`luring.fixed(slot)`). What is in flight on it goes on: a later message of the peer still ends a
---recv. `cancel_fd` ends all of it.
---Since Linux 5.6. Man page: io_uring_prep_close(3).
---@param fd luring.integer|userdata|table
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.close(fd) end

---Closes the file in a slot, which is free then; `close(luring.fixed(slot))` is the same.
----EBADF: the slot is empty.
---Since Linux 5.15. Man page: io_uring_prep_close_direct(3).
---@param slot luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.close_direct(slot) end

---Tells a block device that `nbytes` bytes from `offset` are no longer needed.
---Since Linux 6.12. Man page: io_uring_prep_cmd_discard(3).
---@param fd luring.integer|userdata|table
---@param offset luring.integer
---@param nbytes luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.cmd_discard(fd, offset, nbytes) end

---The address that a socket is bound to, or with 1 as `peer` the one that it is connected to.
---Since Linux 6.19. Man page: io_uring_prep_cmd_getsockname(3).
---@param fd luring.integer|userdata|table
---@param peer luring.integer
---@return table? value
---@return string? message
---@return integer? errno
function actions.cmd_getsockname(fd, peer) end

---Asks a socket something: `cmd_op` is SOCKET_URING_OP_SIOCINQ or SOCKET_URING_OP_SIOCOUTQ, whose `res`
---is how many bytes wait to be read or sent; or SOCKET_URING_OP_GETSOCKOPT or
---SOCKET_URING_OP_SETSOCKOPT with an option's `level` and `optname`. `optval` is an integer for an
---option that is a C int, or a string as long as the option; the value is what GETSOCKOPT got, likewise.
---Since Linux 6.7. Man page: io_uring_prep_cmd_sock(3).
---@param cmd_op luring.integer
---@param fd luring.integer|userdata|table
---@param level luring.integer
---@param optname luring.integer
---@param optval luring.integer|string
---@return any? value
---@return string? message
---@return integer? errno
function actions.cmd_sock(cmd_op, fd, level, optname, optval) end

---Connects a socket to an address, as the helpers' tables have them.
---Since Linux 5.5. Man page: io_uring_prep_connect(3).
---@param fd luring.integer|userdata|table
---@param addr luring.address|string
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.connect(fd, addr) end

---Adds, changes or removes (`op`: EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_DEL) what an epoll descriptor
---watches `fd` for; `event` is `{events=, data=}`, or nil for EPOLL_CTL_DEL.
---Since Linux 5.6. Man page: io_uring_prep_epoll_ctl(3).
---@param epfd luring.integer|userdata|table
---@param fd luring.integer|userdata|table
---@param op luring.integer
---@param event table
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.epoll_ctl(epfd, fd, op, event) end

---Waits for an epoll descriptor's events, at most `maxevents` (1 to 4096): the value is a list of
---`{events=, data=}`.
---Since Linux 6.15. Man page: io_uring_prep_epoll_wait(3).
---@param epfd luring.integer|userdata|table
---@param maxevents luring.integer
---@param flags luring.integer
---@return table? value
---@return string? message
---@return integer? errno
function actions.epoll_wait(epfd, maxevents, flags) end

---Says how a file will be read: `advice` (POSIX_FADV_SEQUENTIAL, ...) for `len` bytes from `offset`,
---or with 0 to the end. Kernels that know no `len` of 2^32 or more answer it with -EINVAL.
---Since Linux 5.6. Man page: io_uring_prep_fadvise(3).
---@param fd luring.integer|userdata|table
---@param offset luring.integer
---@param len luring.integer
---@param advice luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.fadvise(fd, offset, len, advice) end

---Reserves, or with FALLOC_FL_PUNCH_HOLE and its kin in `mode` frees, `len` bytes of a file from
---`offset`.
---Since Linux 5.6. Man page: io_uring_prep_fallocate(3).
---@param fd luring.integer|userdata|table
---@param mode luring.integer
---@param offset luring.integer
---@param len luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.fallocate(fd, mode, offset, len) end

---As getxattr, of an open file.
---Since Linux 5.19. Man page: io_uring_prep_fgetxattr(3).
---@param fd luring.integer|userdata|table
---@param name string
---@param len luring.integer|table|luring.buffer|luring.group
---@return string? value
---@return string? message
---@return integer? errno
function actions.fgetxattr(fd, name, len) end

---Puts the descriptors of a list into the slots from `offset` on; -1 empties a slot, and
---IORING_REGISTER_FILES_SKIP leaves one as it is. With IORING_FILE_INDEX_ALLOC as `offset` free
---slots are chosen, and the value is a list of their `luring.fixed`. `res` is how many were done.
---Since Linux 5.6. Man page: io_uring_prep_files_update(3).
---@param fds table
---@param offset luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.files_update(fds, offset) end

---Gives the file in a slot a descriptor too, which is close-on-exec unless `flags` is
---IORING_FIXED_FD_NO_CLOEXEC. `res` is the descriptor.
---Since Linux 6.8. Man page: io_uring_prep_fixed_fd_install(3).
---@param slot luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.fixed_fd_install(slot, flags) end

---As setxattr, of an open file.
---Since Linux 5.19. Man page: io_uring_prep_fsetxattr(3).
---@param fd luring.integer|userdata|table
---@param name string
---@param value string|luring.buffer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.fsetxattr(fd, name, value, flags) end

---Waits until a file's data is on the disk, and its attributes too without IORING_FSYNC_DATASYNC in
---`flags`. Writes that are in flight are not waited for: link them, or wait for them first.
---Since Linux 5.1. Man page: io_uring_prep_fsync(3).
---@param fd luring.integer|userdata|table
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.fsync(fd, flags) end

---Cuts a file to `len` bytes, or fills it up with zeros.
---Since Linux 6.9. Man page: io_uring_prep_ftruncate(3).
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.ftruncate(fd, len) end

---Waits while the `k`-th word, from 1, of the shared buffer `b` is `value`, until futex_wake comes:
---`res` is 0 then, or -EAGAIN if the word is another already. A waker meets those who have a bit
---of its `mask` in theirs; FUTEX_BITSET_MATCH_ANY is all of them. `futex_flags` are
---FUTEX2_SIZE_U32, and FUTEX2_PRIVATE if no other process uses the word; `flags` must be 0 so far.
---Since Linux 6.7. Man page: io_uring_prep_futex_wait(3).
---@param b luring.buffer
---@param k luring.integer
---@param value luring.integer
---@param mask luring.integer
---@param futex_flags luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.futex_wait(b, k, value, mask, futex_flags, flags) end

---As futex_wait, for any of several words: `futexes` is a list of `{b, k, value=, flags=}` (at most
---128), where `flags` are `futex_flags`, by default FUTEX2_SIZE_U32. `res` is the place in the list
---of one that was woken, counted from 0, or -EAGAIN if a word has another value already.
---Since Linux 6.7. Man page: io_uring_prep_futex_waitv(3).
---@param futexes table
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.futex_waitv(futexes, flags) end

---Wakes up to `count` of those who wait for the `k`-th word, from 1, of the shared buffer `b`, here
---or in another process, by any system call: see futex_wait for the rest. `res` is how many were
---woken. The word itself is as before: change it first.
---Since Linux 6.7. Man page: io_uring_prep_futex_wake(3).
---@param b luring.buffer
---@param k luring.integer
---@param count luring.integer
---@param mask luring.integer
---@param futex_flags luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.futex_wake(b, k, count, mask, futex_flags, flags) end

---Reads the extended attribute `name` of the file `path`, up to `len` bytes: the value. With 0,
---`res` is how many there are; -ERANGE says that `len` is too small.
---Since Linux 5.19. Man page: io_uring_prep_getxattr(3).
---@param name string
---@param path string
---@param len luring.integer|table|luring.buffer|luring.group
---@return string? value
---@return string? message
---@return integer? errno
function actions.getxattr(name, path, len) end

---Gives a file one more name; `flags` are linkat's.
---Since Linux 5.15. Man page: io_uring_prep_link(3).
---@param oldpath string
---@param newpath string
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.link(oldpath, newpath, flags) end

---Puts a timeout behind the action that was queued last, which `key` names: after that time it
---is cancelled. Without a callback the timeout itself completes in silence; with one it gets
----ETIME, or -ECANCELED if the action has ended before. On a ring with auto_submit `reserve` room
---for both first: what is queued last may be submitted before the timeout is.
---Since Linux 5.5. Man page: io_uring_prep_link_timeout(3).
---@param key lightuserdata
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@return any? value
---@return string? message
---@return integer? errno
function actions.link_timeout(key, after) end

---Gives a file one more name; `flags` are linkat's (AT_SYMLINK_FOLLOW).
---Since Linux 5.15. Man page: io_uring_prep_linkat(3).
---@param olddfd luring.integer|userdata|table
---@param oldpath string
---@param newdfd luring.integer|userdata|table
---@param newpath string
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.linkat(olddfd, oldpath, newdfd, newpath, flags) end

---Makes a socket listen; `backlog` is how many connections may wait.
---Since Linux 6.11. Man page: io_uring_prep_listen(3).
---@param fd luring.integer|userdata|table
---@param backlog luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.listen(fd, backlog) end

---Makes a folder with the permissions `mode`.
---Since Linux 5.15. Man page: io_uring_prep_mkdir(3).
---@param path string
---@param mode luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.mkdir(path, mode) end

---Makes a folder with the permissions `mode` (0 to 4095).
---Since Linux 5.15. Man page: io_uring_prep_mkdirat(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param mode luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.mkdirat(dfd, path, mode) end

---Sends a message to the ring whose descriptor is `fd`: its `on_message` gets `len` as `res`, and
---`data`, 0 to 2^53-1.
---Since Linux 5.18. Man page: io_uring_prep_msg_ring(3).
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@param data luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.msg_ring(fd, len, data, flags) end

---Sends a descriptor of this ring's table to the ring whose descriptor is `fd`, into the slot
---`target` of its table, or without one into any that is free; `data` is a message's.
---Since Linux 6.0. Man page: io_uring_prep_msg_ring_fd(3).
---@param fd luring.integer|userdata|table
---@param source luring.integer
---@param target luring.integer
---@param data luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.msg_ring_fd(fd, source, target, data, flags) end

---Does nothing, and completes: what it costs to go through the ring.
---Since Linux 5.1. Man page: io_uring_prep_nop(3).
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.nop() end

---Opens the file `path`; `flags` and `mode` are openat's.
---Since Linux 5.6. Man page: io_uring_prep_open(3).
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.open(path, flags, mode) end

---As open, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_open_direct(3).
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param slot luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.open_direct(path, flags, mode, slot) end

---Opens the file `path`, from the folder `dfd` (or AT_FDCWD) if it is relative; `flags` are open's
---(O_RDONLY, O_RDWR + O_CREAT, ...), and `mode` the permissions of a new file (0 to 4095). `res` is the descriptor.
---Since Linux 5.6. Man page: io_uring_prep_openat(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.openat(dfd, path, flags, mode) end

---Opens the file `path` as `how` says: `{flags=, mode=, resolve=}`, where `resolve` keeps the path
---within its folder (RESOLVE_BENEATH), or from links (RESOLVE_NO_SYMLINKS), ... `res` is the descriptor.
---Since Linux 5.6. Man page: io_uring_prep_openat2(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param how table
---@return integer? value
---@return string? message
---@return integer? errno
function actions.openat2(dfd, path, how) end

---As openat2, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_openat2_direct(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param how table
---@param slot luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.openat2_direct(dfd, path, how, slot) end

---As openat, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.15. Man page: io_uring_prep_openat_direct(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mode luring.integer
---@param slot luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.openat_direct(dfd, path, flags, mode, slot) end

---Makes a pipe; `flags` are pipe2's (O_CLOEXEC, O_NONBLOCK, O_DIRECT). The value is a list of two
---descriptors, to read from and to write to.
---Since Linux 6.16. Man page: io_uring_prep_pipe(3).
---@param flags luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.pipe(flags) end

---As pipe, into two slots: `slot` and the one behind it, or with IORING_FILE_INDEX_ALLOC any that are
---free. The value is a list of two `luring.fixed`, to read from and to write to.
---Since Linux 6.16. Man page: io_uring_prep_pipe_direct(3).
---@param flags luring.integer
---@param slot luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.pipe_direct(flags, slot) end

---Waits until a descriptor is ready as `mask` says (POLLIN, POLLOUT, ...). `res` is what it is ready for.
---Since Linux 5.1. Man page: io_uring_prep_poll_add(3).
---@param fd luring.integer|userdata|table
---@param mask luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.poll_add(fd, mask) end

---Ends the poll that `key` names: it gets -ECANCELED, and this 0; -ENOENT if it has ended.
---Since Linux 5.1. Man page: io_uring_prep_poll_remove(3).
---@param key lightuserdata
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.poll_remove(key) end

---Gives the poll that `key` names another mask, and nothing else: a multishot goes on as one, and
---another ends once, whatever `flags` say; 0 will do.
---Since Linux 5.13. Man page: io_uring_prep_poll_update(3).
---@param key lightuserdata
---@param mask luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.poll_update(key, mask, flags) end

---Reads up to `nbytes` bytes from `fd` at `offset`, in bytes from the file's start; -1 is
---the file's own position. `res` is how many bytes there are, 0 at the end of the file. Of two in
---flight on one pipe or socket the second may get what the first waits for: queue it when the
---first has ended.
---Since Linux 5.6. Man page: io_uring_prep_read(3).
---@param fd luring.integer|userdata|table
---@param nbytes luring.integer|table|luring.buffer|luring.group
---@param offset luring.integer
---@return string? value
---@return string? message
---@return integer? errno
function actions.read(fd, nbytes, offset) end

---As read, into a buffer or a view that lies in the registered one of the slot `buf_index`, from 0.
---The value is the buffer. -EFAULT: it does not lie there.
---Since Linux 5.1. Man page: io_uring_prep_read_fixed(3).
---@param fd luring.integer|userdata|table
---@param buf luring.integer|table|luring.buffer|luring.group
---@param offset luring.integer
---@param buf_index luring.integer
---@return string? value
---@return string? message
---@return integer? errno
function actions.read_fixed(fd, buf, offset, buf_index) end

---Reads into several buffers of the sizes in the list `sizes` (at most 1024), one after the other.
---The value is a list of strings, the last of which may be shorter. `flags` are preadv2's (RWF_NOWAIT, ...).
---Since Linux 5.1. Man page: io_uring_prep_readv2(3).
---@param fd luring.integer|userdata|table
---@param sizes table
---@param offset luring.integer
---@param flags luring.integer
---@return string[]? value
---@return string? message
---@return integer? errno
function actions.readv(fd, sizes, offset, flags) end

---As readv, into the buffers or views of the list `bufs` (at most 1024), which lie in the registered
---one of the slot `buf_index`. `res` is how many bytes there are; the first of the list get them.
---Since Linux 6.15. Man page: io_uring_prep_readv_fixed(3).
---@param fd luring.integer|userdata|table
---@param bufs table
---@param offset luring.integer
---@param flags luring.integer
---@param buf_index luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.readv_fixed(fd, bufs, offset, flags, buf_index) end

---Receives up to `nbytes` bytes from a socket; `flags` are recv's (MSG_PEEK, MSG_WAITALL, ...).
---`res` is how many bytes there are, 0 when the peer has ended its side. Of two in flight on one
---socket the second may get what the first waits for: queue it when the first has ended.
---Since Linux 5.6. Man page: io_uring_prep_recv(3).
---@param fd luring.integer|userdata|table
---@param nbytes luring.integer|table|luring.buffer|luring.group
---@param flags luring.integer
---@return string? value
---@return string? message
---@return integer? errno
function actions.recv(fd, nbytes, flags) end

---Receives a message of up to `size` bytes, or `{size=, control=, name=}`: `control` is the room for
---control data in bytes (0 to 65535), `name` says whether the sender's address is wanted. The value is
---`{data=, addr=, control=, fds=, flags=}`: what is not there is nil. Descriptors that come are
---close-on-exec, and closed if nobody gets them.
---Since Linux 5.3. Man page: io_uring_prep_recvmsg(3).
---@param fd luring.integer|userdata|table
---@param size luring.integer|table|luring.buffer|luring.group
---@param flags luring.integer
---@return table? value
---@return string? message
---@return integer? errno
function actions.recvmsg(fd, size, flags) end

---Gives a file another name or place.
---Since Linux 5.11. Man page: io_uring_prep_rename(3).
---@param oldpath string
---@param newpath string
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.rename(oldpath, newpath) end

---Gives a file another name or place; `flags` are renameat2's (RENAME_NOREPLACE, RENAME_EXCHANGE).
---Since Linux 5.11. Man page: io_uring_prep_renameat(3).
---@param olddfd luring.integer|userdata|table
---@param oldpath string
---@param newdfd luring.integer|userdata|table
---@param newpath string
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.renameat(olddfd, oldpath, newdfd, newpath, flags) end

---Sends `data`, a string or a list of strings, to a connected socket; `flags` are send's
---(MSG_WAITALL, MSG_MORE, ...). `res` is how many bytes were sent, which may be fewer. A peer that
---is gone is -EPIPE, never a signal.
---Since Linux 5.6. Man page: io_uring_prep_send(3).
---@param fd luring.integer|userdata|table
---@param data string|string[]|luring.buffer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.send(fd, data, flags) end

---As send, without copying `data` into the kernel, which pays for large data; `zc_flags` are 0 or
---IORING_SEND_ZC_REPORT_USAGE. The string is kept until the kernel no longer needs it, which is a
---second completion. The callback hears of that one only with the flag: `res` is 0 then, and the value
---"zerocopy" or "copied".
---Since Linux 6.0. Man page: io_uring_prep_send_zc(3).
---@param fd luring.integer|userdata|table
---@param data string|luring.buffer
---@param flags luring.integer
---@param zc_flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.send_zc(fd, data, flags, zc_flags) end

---As send_zc, from a buffer or a view that lies in the registered one of the slot `buf_index`.
---Since Linux 6.0. Man page: io_uring_prep_send_zc_fixed(3).
---@param fd luring.integer|userdata|table
---@param buf string|luring.buffer
---@param flags luring.integer
---@param zc_flags luring.integer
---@param buf_index luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.send_zc_fixed(fd, buf, flags, zc_flags, buf_index) end

---Sends a message: `{data=, addr=, fds=, control=}`. `data` is a string or a list of strings; `addr` an
---address, for a socket that is not connected; `fds` a list of descriptors that the peer of a Unix
---socket gets (at most 253); `control` a list of `{level=, type=, data=}` (at most 16).
---Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
---@param fd luring.integer|userdata|table
---@param message table
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.sendmsg(fd, message, flags) end

---As sendmsg, without copying `data` into the kernel: see send_zc.
---Since Linux 6.1. Man page: io_uring_prep_sendmsg_zc(3).
---@param fd luring.integer|userdata|table
---@param message table
---@param flags luring.integer
---@param zc_flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.sendmsg_zc(fd, message, flags, zc_flags) end

---Sends `data`, a string or a list of strings, to an address, from a socket that need not be connected.
---Since Linux 5.3. Man page: io_uring_prep_sendmsg(3).
---@param fd luring.integer|userdata|table
---@param data string|string[]|luring.buffer
---@param flags luring.integer
---@param addr luring.address|string
---@return integer? value
---@return string? message
---@return integer? errno
function actions.sendto(fd, data, flags, addr) end

---Sets the extended attribute `name` of the file `path` to the string `value`; `flags` are
---XATTR_CREATE or XATTR_REPLACE.
---Since Linux 5.19. Man page: io_uring_prep_setxattr(3).
---@param name string
---@param value string|luring.buffer
---@param path string
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.setxattr(name, value, path, flags) end

---Ends one side of a connection, or both: `how` is SHUT_RD, SHUT_WR or SHUT_RDWR.
---Since Linux 5.11. Man page: io_uring_prep_shutdown(3).
---@param fd luring.integer|userdata|table
---@param how luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.shutdown(fd, how) end

---Makes a socket: `domain` is AF_INET, AF_INET6 or AF_UNIX, `kind` SOCK_STREAM or SOCK_DGRAM, with
---SOCK_CLOEXEC and SOCK_NONBLOCK; `flags` must be 0 so far. `res` is the descriptor.
---Since Linux 5.19. Man page: io_uring_prep_socket(3).
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.socket(domain, kind, protocol, flags) end

---As socket, into `slot`: see accept_direct. The value is `luring.fixed(slot)`.
---Since Linux 5.19. Man page: io_uring_prep_socket_direct(3).
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param slot luring.integer
---@param flags luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.socket_direct(domain, kind, protocol, slot, flags) end

---As socket_direct, into a free slot.
---Since Linux 5.19. Man page: io_uring_prep_socket_direct_alloc(3).
---@param domain luring.integer
---@param kind luring.integer
---@param protocol luring.integer
---@param flags luring.integer
---@return any? value
---@return string? message
---@return integer? errno
function actions.socket_direct_alloc(domain, kind, protocol, flags) end

---Moves up to `nbytes` bytes between two descriptors, one of them a pipe, without copying them
---through the program; an offset of -1 is the descriptor's own position, and the only one for a
---pipe. `res` is how many bytes were moved.
---Since Linux 5.7. Man page: io_uring_prep_splice(3).
---@param fd_in luring.integer|userdata|table
---@param off_in luring.integer
---@param fd_out luring.integer|userdata|table
---@param off_out luring.integer
---@param nbytes luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.splice(fd_in, off_in, fd_out, off_out, nbytes, flags) end

---Looks at a file: the value is a table with the C names of struct statx, those that its
---`stx_mask` says are there; times are `{tv_sec=, tv_nsec=}`. `flags` are AT_SYMLINK_NOFOLLOW,
---AT_EMPTY_PATH (with an empty path, `dfd` itself), ...; `mask` is STATX_BASIC_STATS or single ones.
---`stx_mnt_id`, `stx_dio_...`, `stx_subvol` and `stx_atomic_write_...` are there only if `mask` asks for
---them, by STATX_MNT_ID, STATX_DIOALIGN, STATX_SUBVOL and STATX_WRITE_ATOMIC, which older headers lack.
---Since Linux 5.6. Man page: io_uring_prep_statx(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@param mask luring.integer
---@return table? value
---@return string? message
---@return integer? errno
function actions.statx(dfd, path, flags, mask) end

---Makes a symbolic link at `linkpath` that leads to `target`.
---Since Linux 5.15. Man page: io_uring_prep_symlink(3).
---@param target string
---@param linkpath string
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.symlink(target, linkpath) end

---Makes a symbolic link at `linkpath` that leads to `target`.
---Since Linux 5.15. Man page: io_uring_prep_symlinkat(3).
---@param target string
---@param newdirfd luring.integer|userdata|table
---@param linkpath string
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.symlinkat(target, newdirfd, linkpath) end

---Writes a part of a file's data to the disk: `len` bytes from `offset`; `flags` are
---SYNC_FILE_RANGE_WRITE and its kin. It says nothing of the file's attributes: see sync_file_range(2).
---Since Linux 5.2. Man page: io_uring_prep_sync_file_range(3).
---@param fd luring.integer|userdata|table
---@param len luring.integer
---@param offset luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.sync_file_range(fd, len, offset, flags) end

---Copies up to `nbytes` bytes from one pipe to another, which stay in the first.
---Since Linux 5.8. Man page: io_uring_prep_tee(3).
---@param fd_in luring.integer|userdata|table
---@param fd_out luring.integer|userdata|table
---@param nbytes luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.tee(fd_in, fd_out, nbytes, flags) end

---Ends after a time, in seconds or as `{tv_sec=, tv_nsec=}`, with -ETIME; or with 0 once `count` other
---completions have come (0: only the time counts). -ETIME breaks a chain, unless `flags` have
---IORING_TIMEOUT_ETIME_SUCCESS. IORING_TIMEOUT_ABS makes the time a moment.
---Since Linux 5.4. Man page: io_uring_prep_timeout(3).
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@param count luring.integer
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.timeout(after, count, flags) end

---Ends the timeout that `key` names, before its time: it gets -ECANCELED, and this 0; -ENOENT if it
---has ended.
---Since Linux 5.5. Man page: io_uring_prep_timeout_remove(3).
---@param key lightuserdata
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.timeout_remove(key, flags) end

---Gives the timeout that `key` names another time.
---Since Linux 5.11. Man page: io_uring_prep_timeout_update(3).
---@param after number|{tv_sec: integer, tv_nsec: integer}
---@param key lightuserdata
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.timeout_update(after, key, flags) end

---Removes a file; `flags` are unlinkat's.
---Since Linux 5.11. Man page: io_uring_prep_unlink(3).
---@param path string
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.unlink(path, flags) end

---Removes a file, or with AT_REMOVEDIR in `flags` an empty folder.
---Since Linux 5.11. Man page: io_uring_prep_unlinkat(3).
---@param dfd luring.integer|userdata|table
---@param path string
---@param flags luring.integer
---@return boolean? value
---@return string? message
---@return integer? errno
function actions.unlinkat(dfd, path, flags) end

---Waits until a child process changes: `idtype` is P_PID, P_PIDFD, P_PGID or P_ALL, `id` its number,
---`options` WEXITED, WNOHANG, ... The value is `{pid=, uid=, signo=, code=, status=}`, where `code` is
---CLD_EXITED, CLD_KILLED, ...
---Since Linux 6.7. Man page: io_uring_prep_waitid(3).
---@param idtype luring.integer
---@param id luring.integer
---@param options luring.integer
---@param flags luring.integer
---@return table? value
---@return string? message
---@return integer? errno
function actions.waitid(idtype, id, options, flags) end

---Writes `data` to `fd` at `offset`, in bytes from the file's start; -1 is the file's own
---position. `res` is how many bytes were written, which may be fewer. A reader that is gone is
----EPIPE, never a signal.
---Since Linux 5.6. Man page: io_uring_prep_write(3).
---@param fd luring.integer|userdata|table
---@param data string|luring.buffer
---@param offset luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.write(fd, data, offset) end

---As write, from a buffer or a view that lies in the registered one of the slot `buf_index`.
---Since Linux 5.1. Man page: io_uring_prep_write_fixed(3).
---@param fd luring.integer|userdata|table
---@param buf string|luring.buffer
---@param offset luring.integer
---@param buf_index luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.write_fixed(fd, buf, offset, buf_index) end

---Writes the strings of the list `data` (at most 1024), one after the other, without joining them.
---`flags` are pwritev2's (RWF_APPEND, RWF_DSYNC, ...).
---Since Linux 5.1. Man page: io_uring_prep_writev2(3).
---@param fd luring.integer|userdata|table
---@param data table
---@param offset luring.integer
---@param flags luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.writev(fd, data, offset, flags) end

---As writev, from the buffers or views of the list `bufs` (at most 1024), which lie in the registered
---one of the slot `buf_index`.
---Since Linux 6.15. Man page: io_uring_prep_writev_fixed(3).
---@param fd luring.integer|userdata|table
---@param bufs table
---@param offset luring.integer
---@param flags luring.integer
---@param buf_index luring.integer
---@return integer? value
---@return string? message
---@return integer? errno
function actions.writev_fixed(fd, bufs, offset, flags, buf_index) end

co.io = actions

return co
