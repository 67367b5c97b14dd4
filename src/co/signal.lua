-- Signals, as what a task waits for.

local luring = require "luring"
local part = ...
local actions = part "actions"
local catching = part "catching"
local failure = part "failure"
local task = part "task"
local raise = part "place".raise

local signal = { public = {} }

-- The number of a signal, by its name.
function signal.number(name, function_name, place)
    local number = type(name) == "number" and name % 1 == 0 and name
        or type(name) == "string" and luring[name:find("^SIG") and name or "SIG" .. name]
    if not number then raise(("bad argument #%d to '%s' (a signal expected)"):format(place, function_name)) end
    return number
end

local LAST = 64 -- Linux has no more

-- The names of those that are given by their numbers. Some have two: here is the one that kill -l shows.
local NAMES = {}
for name in ([[HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP
    TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS]]):gmatch("%u%w*") do
    local number = luring["SIG" .. name]
    if number then NAMES[number] = name end
end

-- What counts a set of signals on its eventfd, until the loop ends.
local function watch_of(loop, numbers)
    table.sort(numbers)
    local set = table.concat(numbers, " ")
    loop.signals = loop.signals or {}
    local watch = loop.signals[set]
    if watch then return watch end
    -- What takes memory comes first: nothing is caught that is not let go.
    watch = { caught = false, fd = false }
    loop.at_end = loop.at_end or {}
    table.insert(loop.at_end, function()
        loop.signals[set] = nil
        if watch.caught then catching.let_go(watch.caught) end
    end)
    loop.signals[set] = watch
    local caught, fd = catching.catch(numbers)
    if not fd then
        loop.signals[set] = nil
        table.remove(loop.at_end)
        return nil, caught
    end
    watch.caught, watch.fd = caught, fd
    return watch
end

-- Waits until one of these signals comes, and gives its name. They do nothing else from the first
-- call on, until the loop ends; what comes between two calls is remembered.
function signal.public.signal(...)
    local t = task.me()
    local numbers, names = {}, {}
    for place = 1, select("#", ...) do
        local name = select(place, ...)
        local number = signal.number(name, "signal", place)
        if number < 1 or number > LAST or number % 1 ~= 0 then
            raise("bad argument #" .. place .. " to 'signal' (no such signal)")
        end
        numbers[place] = number
        if type(name) == "string" then names[number] = name end
    end
    if #numbers == 0 then raise("bad argument #1 to 'signal' (a signal expected)") end
    local watch, refused = watch_of(t.loop, numbers)
    if not watch then return failure.refused(refused) end
    while true do
        local res = actions.wait(t, luring.read, 3, watch.fd, 8, -1)
        if res < 0 then return failure.refused(res) end
        -- Two of a kind that came at once are one.
        local number = catching.take(watch.caught)
        if number then return names[number] or NAMES[number] or number end
    end
end

return signal
