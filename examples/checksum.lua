-- Adds up the bytes of many files at once, in registered buffers and direct descriptors.

local USAGE = [[
Usage: lua checksum.lua FILE ...
Prints the checksum and the size in blocks of each file, as sum -s does.]]

local luring = require "luring"

local SIZE = 64 * 1024 -- bytes a read asks for
local DEPTH = 16       -- files at once

local function complain(...)
    io.stderr:write("checksum.lua: ", table.concat({ ... }, ": "), "\n")
end

---@return never
local function fail(...)
    complain(...)
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 2 * DEPTH, 0)
if not made then fail(ring) end
if #arg == 0 then fail("which files? (see --help)") end

-- Slot n of both tables is the n-th worker's: its file, and its buffer.
local res = luring.register_files(ring, DEPTH)
if res < 0 then fail("files", luring.strerror(-res)) end
local buffers = {} ---@type luring.buffer[]
for n = 1, DEPTH do buffers[n] = luring.buffer(SIZE) end
-- There may be a limit to the memory that can be registered. It goes without, but slower.
local registered = luring.register_buffers(ring, buffers) == 0

-- Numbers hold sums up to 2^53 exactly.
local function add(sum, data)
    for at = 1, #data, 4096 do
        local bytes = { data:byte(at, math.min(at + 4095, #data)) }
        for i = 1, #bytes do sum = sum + bytes[i] end
    end
    return sum
end

local next_file, results, failed = 1, {}, false

-- Goes from file to file, as long as there are any.
local function work(slot)
    local number = next_file
    if number > #arg then return end
    next_file = number + 1
    local path, file, buffer = arg[number], luring.fixed(slot), buffers[slot + 1]
    local sum, size = 0, 0

    local function give_up(error)
        complain(path, luring.strerror(-error))
        failed = true
        return work(slot)
    end

    local read
    local function got(_, n)
        if n == -luring.ECANCELED then
            return -- it was not opened, and that has been said
        elseif n < 0 then
            return give_up(n)
        elseif n > 0 then
            sum, size = add(sum, buffer:sub(1, n)), size + n
            return read()
        end
        local folded = sum % 2 ^ 32
        folded = folded % 65536 + math.floor(folded / 65536)
        folded = folded % 65536 + math.floor(folded / 65536)
        results[number] = ("%d %d %s"):format(folded, math.ceil(size / 512), path)
        return work(slot)
    end

    function read()
        if registered then return ring:read_fixed(file, buffer, size, slot, got) end
        return ring:read(file, buffer, size, got)
    end

    -- A file that is in the slot already is closed. The read begins when the file is open.
    local open = ring:open_direct(path, luring.O_RDONLY, 0, slot, function(_, n)
        if n < 0 then return give_up(n) end
    end)
    luring.chain(ring, { open, read() })
end

for slot = 0, DEPTH - 1 do work(slot) end
local ran, result = pcall(luring.run, ring) -- until nothing is in flight
if not ran then fail(tostring(result)) end
if result < 0 then fail("run", luring.strerror(-result)) end
luring.queue_exit(ring)

local lines = {}
for number = 1, #arg do
    if results[number] then lines[#lines + 1] = results[number] .. "\n" end
end
local written, why = io.stdout:write(table.concat(lines))
if written then written, why = io.stdout:flush() end
if not written then fail("standard output", why) end
os.exit(failed and 1 or 0)
