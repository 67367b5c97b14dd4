local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

-- Leaves room for `n` more descriptors: what to call to have room again.
local function room_for(n)
    local filled, last = {}, -1
    -- Up to where none is open.
    repeat
        local before = last
        last = luring.open_file("/dev/null", "r")
        filled[#filled + 1] = last
    until last == before + 1 and #filled > 20
    local limit = host.limit(last + 1 + n)
    return function()
        host.limit(limit)
        for _, fd in ipairs(filled) do luring.close_fd(fd) end
    end
end

-- What takes no descriptor and no memory for good: it is garbage at once.
local function ring() return luring.queue_init(4, 0) end

describe("queue_init", function()
    it("collects garbage when there are no descriptors left", function()
        collectgarbage()
        collectgarbage("stop")
        local restore = room_for(3)
        local kept = {}
        local ok, message = pcall(function()
            for _ = 1, 10 do ring() end
            for i = 1, 3 do kept[i] = ring() end
        end)
        local full, why = pcall(ring)
        restore()
        collectgarbage("restart")
        for _, one in ipairs(kept) do luring.queue_exit(one) end
        assert.is_true(ok, message)
        assert.is_false(full)
        assert.truthy(why:find("could not initialise queue: " .. luring.strerror(luring.EMFILE), 1, true), why)
    end)

    it("may run finalizers then, which raise or make rings", function()
        collectgarbage()
        collectgarbage("stop")
        local fd = luring.open_file("/dev/null", "r")
        luring.close_fd(fd)
        local restore = room_for(2)
        local made = {}
        pcall(function()
            for i = 1, 10 do
                ring()
                drive.finalizer(function()
                    if i % 2 == 0 then error("in a finalizer") end
                    made[#made + 1] = ring()
                end)
            end
        end)
        restore()
        collectgarbage("restart")
        for _, one in ipairs(made) do luring.queue_exit(one) end
        made = nil -- luacheck: ignore
        pcall(drive.collect)
        pcall(drive.collect)
        local again = luring.open_file("/dev/null", "r")
        luring.close_fd(again)
        assert.equal(fd, again)
    end)

    it("says so when there is no memory", function()
        local path = child.compile("no_memory.c", "no_memory.so", "-shared -fPIC -ldl")
        if not child.preload(path) then return pending("another allocator is loaded") end
        local result = child.run(([[
            local luring = require "luring"
            local no_memory = assert(package.loadlib(%q, "luaopen_no_memory"))
            no_memory(true)
            local ok, message = pcall(luring.queue_init, 4, 0)
            local unknown, why = pcall(luring.queue_init, 0, 0)
            no_memory(false)
            luring.queue_exit(luring.queue_init(4, 0))
            io.write(tostring(ok), " ", message, "\n", tostring(unknown), " ", why)
        ]]):format(path), child.preload(path))
        assert.equal(0, result.status, result.output)
        local said = ("^false .*could not initialise queue: %s.*\nfalse .*could not initialise queue: %s"):gsub(
            "%%s", (luring.strerror(luring.ENOMEM)))
        assert.truthy(result.output:find(said), result.output)
    end)
end)
