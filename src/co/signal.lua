-- Signals, as what a task waits for.

local luring = require "luring"
local part = ...
local actions = part "actions"
local failure = part "failure"
local task = part "task"

local signal = { public = {} }

-- The number of a signal, by its name.
function signal.number(name, function_name, level)
    local number = type(name) == "number" and name
        or type(name) == "string" and luring[name:find("^SIG") and name or "SIG" .. name]
    if not number then error("bad argument to '" .. function_name .. "' (a signal expected)", level + 1) end
    return number
end

-- Waits until one of these signals comes, and gives its name. They do nothing else from the first
-- call on; what comes between two calls is remembered.
function signal.public.signal(...)
    local t = task.me()
    local numbers, names = {}, {}
    for place = 1, select("#", ...) do
        local name = select(place, ...)
        numbers[place] = signal.number(name, "signal", 2)
        names[numbers[place]] = name
    end
    if #numbers == 0 then error("bad argument #1 to 'signal' (a signal expected)", 2) end
    table.sort(numbers)
    local set = table.concat(numbers, " ")
    local loop = t.loop
    loop.signals = loop.signals or {}
    local fd = loop.signals[set]
    if not fd then
        fd = luring.signalfd(numbers)
        if fd < 0 then return failure.refused(fd) end
        loop.signals[set] = fd
        loop.at_end = loop.at_end or {}
        table.insert(loop.at_end, function()
            luring.close_fd(fd)
            loop.signals[set] = nil
        end)
    end
    local res, record = actions.wait(t, luring.read, 3, fd, 128, -1)
    if res < 0 then return failure.refused(res) end
    return names[luring.siginfo(record)[1].signo]
end

return signal
