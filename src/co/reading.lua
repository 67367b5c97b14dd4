-- Reading through a buffer, for streams and files: `fill` gets more bytes for it.
--
-- What was read and not yet taken is `buf` from `at` on and then the pieces in `tail`, `size` bytes in
-- all. A wait that ends early leaves all of it there.

local luring = require "luring"
local part = ...
local raise = part "place".raise
local find, sub, concat = string.find, string.sub, table.concat

local LINE = 65536 -- the longest line, unless the program says otherwise

local Reading = {}

local function gather(self)
    local tail = self.tail
    if not tail then return end
    self.tail = nil
    self.buf = sub(self.buf, self.at) .. concat(tail)
    self.at = 1
end

-- Puts what has been read behind the rest.
local function keep(self, data)
    if self.size == 0 then
        self.buf, self.at, self.tail = data, 1, nil
    else
        local tail = self.tail
        if not tail then
            tail = {}
            self.tail = tail
        end
        tail[#tail + 1] = data
    end
    self.size = self.size + #data
end

-- Takes n bytes, which are there.
local function take(self, n)
    local buf, at = self.buf, self.at
    if self.tail and n > #buf - at + 1 then
        gather(self)
        buf, at = self.buf, self.at
    end
    self.size = self.size - n
    if at == 1 and n == #buf then
        self.buf = ""
        if self.tail then gather(self) end
        return buf
    end
    self.at = at + n
    local data = sub(buf, at, at + n - 1)
    if self.size == 0 then self.buf, self.at = "", 1 end
    return data
end

-- Forgets all there is.
local function forget(self)
    self.buf, self.at, self.tail, self.size = "", 1, nil, 0
end

local function check_count(n, name)
    if type(n) ~= "number" or n < 0 or n % 1 ~= 0 then
        raise("bad argument #1 to '" .. name .. "' (a number of bytes expected)")
    end
end

local function check_most(max, name)
    if type(max) ~= "number" or max < 0 then
        raise("bad argument #1 to '" .. name .. "' (a number of bytes expected)")
    end
end

-- Gets more, and keeps it: true, nil at the end, or nil, message, errno.
local function more(self, n)
    local data, message, errno = self:fill(n)
    if not data then return nil, message, errno end
    keep(self, data)
    return data
end

-- What there is, at least one byte and at most n; nil alone at the end.
function Reading:read(n)
    if n then
        check_count(n, "read")
        if n == 0 then return "" end
    end
    local size = self.size
    if size == 0 then
        local data, message, errno = self:fill(n)
        if not data then return nil, message, errno end
        if not n or #data <= n then return data end
        keep(self, data)
        return take(self, n)
    end
    if self.reader then self:refuse_reader() end
    return take(self, n and n < size and n or size)
end

-- Exactly n bytes, or nil, message, errno with nothing taken; nil alone if there are none at all.
function Reading:read_exactly(n)
    check_count(n, "read_exactly")
    if self.reader then self:refuse_reader() end
    while self.size < n do
        local data, message, errno = more(self, n - self.size)
        if not data then
            if message or self.size == 0 then return nil, message, errno end
            return nil, "unexpected end: " .. self.size .. " of " .. n .. " bytes", luring.ENODATA
        end
    end
    return take(self, n)
end

-- The next n bytes, which stay; fewer at the end.
function Reading:peek(n)
    check_count(n, "peek")
    if self.reader then self:refuse_reader() end
    while self.size < n do
        local data, message, errno = more(self, n - self.size)
        if not data then
            if message then return nil, message, errno end
            if self.size == 0 then return nil end
            break
        end
    end
    gather(self)
    return sub(self.buf, self.at, self.at + math.min(n, self.size) - 1)
end

function Reading:buffered()
    return self.size
end

-- The last byte of all there is.
local function last_byte(self)
    local tail = self.tail
    return sub(tail and tail[#tail] or self.buf, -1)
end

-- A line of at most `max` bytes, without its end unless `form` is "L".
function Reading:line(max, form)
    if self.reader then self:refuse_reader() end
    if max == "L" then max, form = nil, "L" end
    if max then check_most(max, "line") else max = LINE end
    local length -- of the line with its end
    local place = find(self.buf, "\n", self.at, true)
    local seen = #self.buf - self.at + 1
    if place then
        length = place - self.at + 1
        seen = length - 1
    end
    local number = 0 -- of the pieces of the tail that were looked at
    while not length do
        local chunk = self.tail and self.tail[number + 1]
        if chunk then
            number = number + 1
        else
            if seen > max and (seen > max + 1 or last_byte(self) ~= "\r") then
                return nil, "line too long", luring.EMSGSIZE
            end
            local message, errno
            chunk, message, errno = more(self)
            if not chunk then
                if message then return nil, message, errno end
                if self.size == 0 then return nil end
                if self.size > max then return nil, "line too long", luring.EMSGSIZE end
                return take(self, self.size)
            end
            if self.tail then number = number + 1 end
        end
        place = find(chunk, "\n", 1, true)
        if place then length = seen + place end
        seen = seen + (place and place - 1 or #chunk)
    end
    if seen > max + 1 then return nil, "line too long", luring.EMSGSIZE end
    if seen == max + 1 then
        gather(self)
        -- It may be one byte longer if that is the CR before the LF.
        if sub(self.buf, self.at + max, self.at + max) ~= "\r" then
            return nil, "line too long", luring.EMSGSIZE
        end
    end
    local line = take(self, length)
    if form == "L" then return line end
    if sub(line, -2) == "\r\n" then return sub(line, 1, -3) end
    return sub(line, 1, -2)
end

-- All there is until the end, "" if that is nothing; too much is an error, and stays.
function Reading:read_all(max)
    if max then check_most(max, "read_all") end
    while true do
        if max and self.size > max then return nil, "too much to read", luring.EMSGSIZE end
        local data, message, errno = more(self)
        if not data then
            if message then return nil, message, errno end
            return take(self, self.size)
        end
    end
end

-- for line in stream:lines() do ... end; not on PUC Lua 5.1.
function Reading:lines(max, form)
    return function() return self:line(max, form) end
end

function Reading:chunks(n)
    return function() return self:read(n) end
end

-- Gives these methods to a class.
local function extend(class)
    for name, method in pairs(Reading) do class[name] = method end
end

return { check_count = check_count, extend = extend, forget = forget, gather = gather, keep = keep, take = take }
