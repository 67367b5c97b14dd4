-- Passing on what two streams bring, both ways.

local part = ...
local group = part "group"
local options_of = part "options"
local task = part "task"
local raise = part "place".raise

local relay = { public = {} }

local OPTIONS = { idle = true }

-- From one to the other, until the end of the first.
local function pump(from, to, shared)
    while true do
        local data, message, errno = from:read()
        if data then
            shared.last = task.me().loop:now()
            local ok
            ok, message, errno = to:write(data)
            if not ok then return nil, message, errno end
        elseif message == "timed out" and shared.idle then
            if task.me().loop:now() - shared.last >= shared.idle then return nil, message, errno end
        elseif message then
            return nil, message, errno
        else
            to:shutdown()
            return true
        end
    end
end

local function check_stream(x, place)
    if type(x) ~= "table" or not x.read or not x.write then
        raise(("bad argument #%d to 'relay' (a stream expected, got %s)"):format(place, type(x)))
    end
end

-- True when both have ended, or nil, message, errno; with `idle`, when nothing came for so long.
function relay.public.relay(a, b, options)
    check_stream(a, 1)
    check_stream(b, 2)
    options = options or {}
    options_of.check(options, OPTIONS, 3, "relay")
    options_of.check_number(options.idle, "idle")
    local shared = { idle = options.idle, last = task.me().loop:now() }
    local of_a, of_b = a.read_seconds, b.read_seconds
    if shared.idle then
        a:settimeout(shared.idle, a.write_seconds)
        b:settimeout(shared.idle, b.write_seconds)
    end
    local done, message, errno = group.public.all {
        function() return pump(a, b, shared) end,
        function() return pump(b, a, shared) end,
    }
    if shared.idle then -- what the program does with them next has the limits that it had
        a:settimeout(of_a, a.write_seconds)
        b:settimeout(of_b, b.write_seconds)
    end
    if not done then return nil, message, errno end
    return true
end

return relay
