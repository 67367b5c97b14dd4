-- Servers: what listens, and the connections that it takes.

local luring = require "luring"
local part = ...
local address = part "address"
local failure = part "failure"
local group = part "group"
local scope = part "scope"
local resolve = part "resolve"
local stream = part "stream"
local task = part "task"
local raise, reword = part "place".raise, part "place".reword

local server = { public = {} }

local Server = {}
Server.__index = Server

local CLOEXEC = luring.SOCK_CLOEXEC
local ECANCELED = -luring.ECANCELED
local PAUSE = 0.1 -- seconds until a server without descriptors tries again

local OPTIONS = { backlog = true, reuseport = true, v6only = true, nodelay = true }
local SERVE_OPTIONS = { max = true, on_error = true }

function server.public.listen(host, port, options)
    address.check(host, port, "listen")
    options = options or {}
    part("options").check(options, OPTIONS, 3, "listen")
    local opts = {}
    for key, value in pairs(options) do opts[key] = value end
    local list, message, errno = resolve.addresses(host, port)
    if not list then return nil, message, errno end
    -- `client` is a connection that has come, and has not begun.
    local self = scope.own(setmetatable({
        fd = false, connections = {}, count = 0, closing = false, closer = false, acceptor = false, client = false,
    }, Server))
    local ok, fd = pcall(luring.tcp_listen, list[1], opts)
    if ok and fd >= 0 then
        self.fd = fd
        return self
    end
    scope.disown(self)
    if not ok then reword(fd, "listen", 2, 3) end
    return failure.refused(fd, host)
end

local function is_accepting(self)
    return stream.busy(self.acceptor, luring.accept, self.fd)
end

-- Accepts a connection, a stream's: true, or nil, message, errno. A cancellation is one of these.
local function accept(self, t, client)
    if not self.fd or self.closing then return nil, "closed", luring.ECANCELED end
    if is_accepting(self) then raise("another task accepts on this server") end
    self.acceptor = t
    local fd = task.wait_bare(t, luring.accept, self.fd, CLOEXEC, t.done or t:done_of())
    if fd >= 0 then client.fd = fd end
    self.acceptor = false
    if self.closer then task.wake(self.closer) end
    if fd >= 0 then return true end
    if fd == ECANCELED and self.closing then return nil, "closed", luring.ECANCELED end
    return failure.refused(fd)
end

function Server:accept()
    local t = task.me()
    task.check(t)
    local client = scope.own(stream.of_socket(false))
    local ok, message, errno = accept(self, t, client)
    if ok then return client end
    scope.disown(client)
    task.check(t)
    return nil, message, errno
end

-- for client in server:accepts() do ... end; not on PUC Lua 5.1.
function Server:accepts()
    return function() return (self:accept()) end
end

-- Stops accepting; connections go on.
function Server:close()
    local fd = self.fd
    if not fd or self.closing then return true end
    local t = is_accepting(self) and task.me()
    if t then
        task.about_to_park_shielded(t) -- it may not wait here
        self.closer = t
        self.acceptor.loop:interrupt(self.acceptor)
        self.closing = true
        while is_accepting(self) do task.park_shielded(t, "close") end
        self.closer = false
        if not self.fd then return true end -- its owner could not wait
    end
    luring.close_fd(fd)
    if self.client and self.client.fd then self.client:close() end
    self.fd, self.closing = nil, true
    scope.disown(self)
    if self.server_task then task.wake(self.server_task) end
    return true
end

Server.__close = scope.close_variable

-- The host and the port that it listens at.
function Server:address()
    if not self.fd then return nil, "closed", luring.ECANCELED end
    return address.name(luring.getsockname(self.fd))
end

function Server:getfd()
    return self.fd or -1
end

function Server:drop_descriptor()
    if self.client then self.client:drop_descriptor() end
    scope.drop_descriptor(self)
end

-- ---- connections ----

local function report(err, client)
    local _ = client
    io.stderr:write("luring.co: a connection's error: ", tostring(err), "\n")
end

local function over(self, t)
    -- What can fail comes first.
    if self.server_task then task.wake(self.server_task) end
    for waiter in pairs(self.stoppers or {}) do task.wake(waiter) end
    t.home:leave(t)
    self.connections[t.client] = nil
    self.count = self.count - 1
end

-- Ends a connection that left something behind: tasks, what it made, or an error.
local function clean_up(self, t)
    local s, client = t.scope, t.client
    local own = task.me()
    own.scope = s
    if t.state == "failed" then
        s:fail(t)
    elseif t.state == "cancelled" then
        s:cancel_all(t.doomed.why)
    end
    s:settle(own)
    local err
    if s.failed then
        err = s:error()
    elseif t.state == "done" then
        local value, message = t:outcome()
        if value == nil then err = message end
    end
    if s.failed or err ~= nil then
        local on_error = self.on_error or report
        local ok, why
        if own.doomed then
            ok, why = pcall(on_error, err, client) -- a wait in it is over at once
        else
            local child = group.call(scope.run, on_error, err, client) -- the connection's scope has ended
            ok, why = child.state ~= "failed", child.err
        end
        if not ok then io.stderr:write("luring.co: on_error: ", tostring(why), "\n") end
    end
    client:close()
end

local function cleaned_up(t)
    t.connection.client:drop_descriptor() -- it has been closed, or there was no memory for that
    over(t.server, t.connection)
end

-- A connection's function has ended: this runs outside of tasks.
local function connection_ended(t)
    local s, client = t.scope, t.client
    local self = client.server
    local simple = t.state ~= "failed" and not s.failed and s.count == 0 and s.background == 0 and #s.owned == 0
        and not (t.state == "done" and t.results and t.results[1] == nil and t.results[2] ~= nil)
    if simple and not client.reader and not client.writer then
        client:close()
        return over(self, t)
    end
    local cleaner = task.start(t.loop, s, t, cleaned_up, clean_up, self, t)
    cleaner.server, cleaner.connection = self, t
    cleaner.cleans = true -- it begins even when it is cancelled
    t.cleaner = cleaner
end

local function connect(self, t, f, client)
    local s = scope.new(t.scope)
    local c = task.make(t.loop, s, t, connection_ended, f, client)
    -- A task has sixteen fields now: one more would double their memory. Its scope has eight.
    c.client, client.server, s.body, s.since = client, self, c, t.loop:now()
    self.connections[client] = c
    t.scope:enter(c, scope.is_background(t))
    self.count = self.count + 1
    task.begin(c)
end

local ACCEPT_AGAIN = {
    [luring.ECONNABORTED] = true, [luring.EINTR] = true, [luring.EPROTO] = true, [luring.ENETDOWN] = true,
    [luring.EHOSTUNREACH] = true, [luring.ENETUNREACH] = true, [luring.ETIMEDOUT] = true,
}
local SHORT = {
    [luring.EMFILE] = true, [luring.ENFILE] = true, [luring.ENOBUFS] = true, [luring.ENOMEM] = true,
}

local Nap = {}
Nap.__index = Nap
function Nap:due() task.wake(self.task) end

-- Waits until a connection has ended, or a while.
local function rest(self, t)
    if not self.said_so then
        self.said_so = true
        io.stderr:write("luring.co: no descriptor is left for connections: waiting for one\n")
    end
    local nap = setmetatable({ task = t }, Nap)
    t.loop.deadlines:add(nap, t.loop:now() + PAUSE)
    self.server_task = t
    task.park(t, function() task.wake(t) end, "descriptors")
    self.server_task = nil
    t.loop.deadlines:remove(nap)
end

local function accept_all(self, t, f, max)
    while not self.closing and not t.doomed do
        if self.count >= max then
            self.server_task = t
            task.park(t, function() task.wake(t) end, "connections")
            self.server_task = nil
        else
            local client = stream.of_socket(false)
            self.client = client
            local ok, message, errno = accept(self, t, client)
            if ok then
                connect(self, t, f, client)
                self.client = false
            elseif SHORT[errno] then
                rest(self, t)
            elseif not self.closing and not t.doomed and not ACCEPT_AGAIN[errno] then
                return nil, message, errno
            end
        end
    end
    return true
end

-- Runs `f(client)` as a task for each connection, until the server is closed and they have ended.
function Server:serve(f, options)
    scope.check_function(f, "serve", 1)
    options = options or {}
    part("options").check(options, SERVE_OPTIONS, 2, "serve")
    local max = options.max
    if max ~= nil and (type(max) ~= "number" or max ~= max or max < 1) then
        raise("bad option 'max' (a number from 1 on expected)")
    end
    local t = task.me()
    task.about_to_park(t)
    -- Only one would be woken; and a connection that serves would wait for its own end.
    local other = self.serving
    if other and other ~= t and not other.state then raise("another task serves on this server") end
    self.serving, self.on_error = t, options.on_error
    local ok, message, errno = accept_all(self, t, f, max or math.huge)
    local function cancel_all(_, why)
        for _, c in pairs(self.connections) do c:cancel(why) end
    end
    self.server_task = t
    while self.count > 0 do
        if t.doomed then
            cancel_all(t, t.doomed.why)
            task.park_shielded(t, "connections")
        else
            task.park(t, cancel_all, "connections")
        end
    end
    self.server_task, self.serving = nil, nil
    task.check(t)
    if ok then return true end
    return nil, message, errno
end

local Grace = {}
Grace.__index = Grace
function Grace:due()
    for _, c in pairs(self.server.connections) do c:cancel("stopping") end
end

-- The connection that a task is a part of, if it is one of the server's.
local function connection_of(self, t)
    while t do
        if t.client and self.connections[t.client] == t then return t end
        t = t.parent
    end
end

-- How many connections wait for the server to stop.
local function stopping(self)
    local seen, count = {}, 0
    for _, c in pairs(self.stoppers) do
        if c ~= true and self.connections[c.client] == c and not seen[c] then
            seen[c], count = true, count + 1
        end
    end
    return count
end

-- Stops accepting, and ends waiting reads; what is left after `grace` seconds is cancelled.
function Server:stop(grace)
    if grace and (type(grace) ~= "number" or grace ~= grace) then
        raise("bad argument #1 to 'stop' (seconds expected)")
    end
    local t = task.me()
    task.about_to_park(t)
    self:close()
    for client in pairs(self.connections) do client:stop_reading() end
    local limit
    if grace and grace < math.huge then
        limit = setmetatable({ server = self }, Grace)
        t.loop.deadlines:add(limit, t.loop:now() + grace)
    end
    self.stoppers = self.stoppers or {}
    -- A connection that stops its own server doesn't wait for itself, nor for others that do.
    for waiter in pairs(self.stoppers) do task.wake(waiter) end
    self.stoppers[t] = connection_of(self, t) or true
    local function leave() -- others wait for its connection again
        self.stoppers[t] = nil
        task.give_up(t)
    end
    while self.count > stopping(self) and not t.doomed do task.park(t, leave, "connections") end
    self.stoppers[t] = nil
    if limit then t.loop.deadlines:remove(limit) end
    return true
end

return server
