-- How a socket of LuaSocket's shape reads: into a buffer of its own, since a call that ends early gives
-- what it has as its third result.

local luring = require "luring"
local co = require "luring.co"
local part = ...
local reading = part "reading"
local words = part "words"

local find, sub, gsub = string.find, string.sub, string.gsub
local gather, keep, take = reading.gather, reading.keep, reading.take

local Receiving = {}

-- Gets more, which it keeps, and gives; or nil, why, and whether that is the peer's end.
local function fetch(self, till)
    local stream = self.stream
    if not stream then return nil, "closed" end
    local left = till and till - co.now()
    local flags, limit = 0, nil
    if left and left > 0 then
        limit = left
    elseif left then
        flags = luring.MSG_DONTWAIT
    end
    stream.get_flags, stream.read_seconds = flags, limit
    if limit then stream.odd = true end
    local data, message, errno = stream:read()
    if not data then return nil, words.of(errno), not message end
    self.received = self.received + #data
    keep(self, data)
    return data
end

-- What a call gives that has ended early: it takes all there is.
local function partial(self, why, prefix, clean)
    local rest = take(self, self.size)
    return nil, why, prefix .. (clean and gsub(rest, "\r", "") or rest)
end

-- So many bytes, those of the prefix among them. None at all still waits until there is one.
local function receive_count(self, n, prefix, till)
    if prefix ~= "" then
        n = n - #prefix
        if n <= 0 then return prefix end
    end
    while self.size < n or self.size == 0 do
        local data, why = fetch(self, till)
        if not data then return partial(self, why, prefix) end
    end
    return prefix .. take(self, n)
end

-- A line without its LF, and without any CR.
local function receive_line(self, prefix, till)
    gather(self)
    local place = find(self.buf, "\n", self.at, true)
    local length = place and place - self.at + 1
    while not length do
        local before = self.size
        local data, why = fetch(self, till)
        if not data then return partial(self, why, prefix, true) end
        place = find(data, "\n", 1, true)
        length = place and before + place
    end
    local line = sub(take(self, length), 1, -2)
    if find(line, "\r", 1, true) then line = gsub(line, "\r", "") end
    return prefix .. line
end

-- All until the end, which is an error if nothing comes before it.
local function receive_all(self, prefix, till)
    while true do
        local data, why, at_end = fetch(self, till)
        if not data then
            if at_end and self.size > 0 then return prefix .. take(self, self.size) end
            return partial(self, why, prefix)
        end
    end
end

function Receiving:receive(pattern, prefix)
    self:check("client", "receive")
    if prefix == nil then prefix = "" end
    if type(prefix) == "number" then prefix = tostring(prefix) end
    if type(prefix) ~= "string" then words.bad_argument(2, "receive", "string expected, got " .. type(prefix)) end
    local seconds = self:allowed()
    local till = seconds and co.now() + seconds
    local n = tonumber(pattern)
    if n then
        if not (n >= 0 and n < math.huge) then words.bad_argument(1, "receive", "invalid receive pattern") end
        return receive_count(self, n - n % 1, prefix, till)
    end
    local kind = pattern == nil and "l" or type(pattern) == "string" and pattern:match("^%*?([la])")
    if kind == "l" then return receive_line(self, prefix, till) end
    if kind == "a" then return receive_all(self, prefix, till) end
    words.bad_argument(1, "receive", "invalid receive pattern")
end

-- Whether there is something that was read and not taken.
function Receiving:dirty()
    return self.size > 0
end

-- Gives these methods to a class.
local function extend(class)
    for name, method in pairs(Receiving) do class[name] = method end
end

return { extend = extend }
