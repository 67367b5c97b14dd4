-- A file of blocks: it holds what was written last.

local luring = require "luring"
local drive = require "drive"
local bytes = require "model.bytes"

local BLOCK, BLOCKS = 512, 64

local function string_of(value, res) return type(value) == "string" and value or value:sub(1, res) end

local File = {}

function File:open_file()
    local path = os.tmpname()
    self.file = luring.open_file(path, luring.O_RDWR)
    os.remove(path)
    luring.ftruncate_fd(self.file, BLOCK * BLOCKS)
    self.content = ("\0"):rep(BLOCK * BLOCKS)
    self.writing, self.reading = {}, {} -- blocks
    if self.dice:once(2) then self.slots = luring.register_files(self.ring, { self.file }) == 0 end
    if self.dice:once(2) then
        self.registered = luring.buffer(6 * BLOCK)
        if luring.register_buffers(self.ring, { self.registered }) ~= 0 then self.registered = nil end
    end
end

-- Blocks that nobody writes now, and for a write nobody reads: the first and how many.
function File:free_blocks(writing)
    local first, n = self.dice:roll(BLOCKS), self.dice:roll(6)
    n = math.min(n, BLOCKS - first + 1)
    for i = first, first + n - 1 do
        if self.writing[i] or writing and (self.reading[i] or 0) > 0 then return nil end
    end
    return first, n
end

function File:descriptor() return self.slots and self.dice:once(3) and luring.fixed(0) or self.file end

function File:write_file()
    local first, n = self:free_blocks(true)
    if not first then return end
    local data = {}
    for i = 1, n do data[i] = bytes.of(100, self.dice:roll(bytes.PERIOD), BLOCK) end
    local all, at = table.concat(data), (first - 1) * BLOCK
    local name, arguments = "write", { self:descriptor(), all, at }
    local way = self.dice:roll(3)
    if way == 2 then name, arguments = "writev", { self:descriptor(), data, at, 0 } end
    if way == 3 and self.registered and not self.registered_used then
        self.registered_used = true
        local view = self.registered:view(1, #all)
        view:set(1, all)
        name, arguments = "write_fixed", { self:descriptor(), view, at, 0 }
    end
    for i = first, first + n - 1 do self.writing[i] = true end
    local ticket = self:act(name, arguments, function(res)
        for i = first, first + n - 1 do self.writing[i] = nil end
        if name == "write_fixed" then self.registered_used = nil end
        if res <= 0 then return end
        self:check(res <= #all, "more was written than given")
        self.content = self.content:sub(1, at) .. all:sub(1, res) .. self.content:sub(at + res + 1)
    end)
    if not ticket then
        for i = first, first + n - 1 do self.writing[i] = nil end
        if name == "write_fixed" then self.registered_used = nil end
    elseif self.dice:once(5) then
        luring.sqe_set_flags(self.ring, ticket.key, luring.IOSQE_ASYNC)
    end
end

function File:read_file()
    local first, n = self:free_blocks()
    if not first then return end
    local at, size = (first - 1) * BLOCK, n * BLOCK
    local name, arguments = "read", { self:descriptor(), size, at }
    local way = self.dice:roll(4)
    if way == 2 then arguments[2] = luring.buffer(size) end
    if way == 3 then name, arguments = "readv", { self:descriptor(), { BLOCK, size - BLOCK }, at, 0 } end
    if way == 4 and self.registered and not self.registered_used then
        self.registered_used = true
        name, arguments = "read_fixed", { self:descriptor(), self.registered:view(1, size), at, 0 }
    end
    for i = first, first + n - 1 do self.reading[i] = (self.reading[i] or 0) + 1 end
    local function done()
        for i = first, first + n - 1 do self.reading[i] = self.reading[i] - 1 end
        if name == "read_fixed" then self.registered_used = nil end
    end
    local ticket = self:act(name, arguments, function(res, value)
        done()
        if res < 0 then return end
        self:check(res == size, "only", res, "bytes of the file")
        if name == "readv" then value = table.concat(value) end
        self:check(string_of(value, res) == self.content:sub(at + 1, at + size), "the file holds something else")
    end)
    if not ticket then done() end
end

function File:check_file()
    local res, all = drive.one(self.ring, "read", self.file, BLOCK * BLOCKS + 1, 0)
    self:check(res == BLOCK * BLOCKS, "the file has", res, "bytes")
    self:check(all == self.content, "the file holds something else at the end")
end

return File
