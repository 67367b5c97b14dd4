-- Every action of the module as a function that waits: co.io.fsync(fd, flags).

local luring = require "luring"
local part = ...
local task = part "task"
local raise = part "place".raise

local actions = { public = { io = {} } }

-- The actions by their functions.
task.names = {}

-- An action may come after it has been listed: those that this build lacks are not in the table.
for _, name in ipairs(part "actions_there_are") do
    if luring[name] then task.names[luring[name]] = name end
end

-- The arguments with the callback behind them.
local function wait(t, op, n, a, b, c, d, e, f, g)
    local done = t.done or t:done_of()
    if n == 0 then return task.wait(t, op, done) end
    if n == 1 then return task.wait(t, op, a, done) end
    if n == 2 then return task.wait(t, op, a, b, done) end
    if n == 3 then return task.wait(t, op, a, b, c, done) end
    if n == 4 then return task.wait(t, op, a, b, c, d, done) end
    if n == 5 then return task.wait(t, op, a, b, c, d, e, done) end
    if n == 6 then return task.wait(t, op, a, b, c, d, e, f, done) end
    return task.wait(t, op, a, b, c, d, e, f, g, done)
end

-- Raises the error in the words of the function that the program has called.
local function checked(name, op)
    if name:find("multishot", 1, true) then
        raise(name .. " completes more than once: it can't be waited for")
    end
    return op
end

-- How many arguments those actions have whose last may be nil.
local OPTIONAL = { epoll_ctl = 4, cancel = 2, cancel_fd = 2 }

local MOST = 7 -- arguments that an action has

-- Calls the action with as many arguments as it has. A nil, or a function, where the callback belongs
-- would be a wait without an end.
local function call(name, op, n, ...)
    local t = task.me()
    while n > 0 and (select(n, ...)) == nil do n = n - 1 end
    local most = OPTIONAL[name] or MOST
    if n > most then raise("bad argument #" .. most + 1 .. " to '" .. name .. "' (no value expected)") end
    if n > 0 and type((select(n, ...))) == "function" then
        raise("bad argument #" .. n .. " to '" .. name .. "' (no function expected: the task is what is called)")
    end
    if OPTIONAL[name] then return wait(t, op, most, ...) end
    for place = 1, n do
        if (select(place, ...)) == nil then
            raise("bad argument #" .. place .. " to '" .. name .. "' (value expected)")
        end
    end
    return wait(t, op, n, ...)
end

-- What an action gives whose `res` says more than that it is done.
local COUNTS = {
    "read", "write", "recv", "send", "accept", "readv", "writev", "read_fixed", "write_fixed", "readv_fixed",
    "writev_fixed", "splice", "tee", "open", "openat", "openat2", "socket", "sendto", "sendmsg", "send_zc",
    "sendmsg_zc", "send_zc_fixed", "poll_add", "fixed_fd_install", "files_update", "futex_wake", "futex_waitv",
    "cancel", "cancel_fd", "cancel_all", "fsetxattr", "setxattr", "cmd_sock",
}
local counts = {}
for _, name in ipairs(COUNTS) do counts[name] = true end

local function give(name, res, value)
    if res < 0 then return nil, luring.strerror(-res), -res end
    if value ~= nil then return value end
    if counts[name] then return res end
    return true
end

-- What is read: a string, or how much of it has come into a buffer of the program's own.
local function give_bytes(into, res, value)
    if res < 0 then return nil, luring.strerror(-res), -res end
    if type(into) == "userdata" and rawequal(value, into) then return res end
    return value
end

local BYTES = { read = true, recv = true, read_fixed = true }

-- A value, or nil, message, errno.
for op, name in pairs(task.names) do
    if BYTES[name] then
        actions.public.io[name] = function(...)
            return give_bytes((select(2, ...)), call(name, op, select("#", ...), ...))
        end
    else
        actions.public.io[name] = function(...)
            return give(name, call(name, checked(name, op), select("#", ...), ...))
        end
    end
end

-- res, value, flags, as the callback gets them.
function actions.public.await(op, ...)
    local name = task.names[op]
    if not name then raise("bad argument #1 to 'await' (an action of luring expected)") end
    local res, value, flags = call(name, checked(name, op), select("#", ...), ...)
    return res, value, flags
end

-- Waits until a descriptor is ready, for what does its own I/O.
function actions.public.poll(fd, mode)
    local mask = mode == "r" and luring.POLLIN or mode == "w" and luring.POLLOUT
    local kind = type(fd)
    if kind ~= "number" and kind ~= "table" and kind ~= "userdata" then
        raise("bad argument #1 to 'poll' (a descriptor expected)")
    end
    if not mask then raise([[bad argument #2 to 'poll' ("r" or "w" expected)]]) end
    local res = wait(task.me(), luring.poll_add, 2, fd, mask)
    if res < 0 then return nil, luring.strerror(-res), -res end
    return true
end

actions.wait = wait

return actions
