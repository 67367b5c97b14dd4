local luring = require "luring"
local co = require "luring.co"
local drive = require "drive"

local ACTIONS = tonumber(os.getenv("LURING_TEST_MILLION") or 1000000)
local BATCH = 250

local function resident() -- in KiB
    drive.collect()
    return drive.resident()
end

describe("the memory of a process", function()
    local ring, zeros, null
    before_each(function()
        ring = luring.queue_init(2 * BATCH, 0)
        zeros, null = luring.open_file("/dev/zero", "r"), luring.open_file("/dev/null", "a")
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(zeros, null)
    end)

    local function run(actions, callback)
        for batch = 1, actions / BATCH do
            -- Lua's own pace depends on what all the other specs have left in this process.
            if batch % 100 == 1 then drive.collect() end
            for i = 1, BATCH / 2 do
                luring.read(ring, zeros, 512, 0, callback)
                luring.write(ring, null, "content " .. i, 0, callback)
            end
            luring.submit_and_wait(ring, BATCH)
            luring.do_cqes(ring)
        end
    end

    local function stays_flat(callback)
        run(ACTIONS / 10, callback)
        local before = resident()
        run(ACTIONS, callback)
        local grown = resident() - before
        assert.is_true(grown <= 1024, ("%d KiB more"):format(grown))
    end

    it("stays flat over a million actions with one callback", function()
        local done = 0
        stays_flat(function(cqe)
            done = done + 1
            luring.cqe_seen(ring, cqe)
        end)
        assert.equal(ACTIONS + ACTIONS / 10, done)
    end)

    it("stays flat over a million actions without callbacks", function() stays_flat(nil) end)

    it("stays flat while a task writes faster than another reads", function()
        local MIB = 1024 * 1024
        local mib = ACTIONS >= 1000000 and 1024 or 16
        local data = ("0123456789abcdef"):rep(MIB / 16)
        local one, other = luring.socketpair()
        local grown
        co.run(function()
            local writer, reader = co.stream(one), co.stream(other)
            co.spawn(function()
                for _ = 1, mib do assert(writer:write(data)) end
                writer:close()
            end)
            local before
            local bytes, pause = 0, 0
            while true do
                if bytes >= pause then
                    co.sleep(0.001) -- the writer has filled what there is between them
                    drive.collect()
                    if pause == 4 * MIB then before = resident() end
                    pause = pause + (pause < 4 * MIB and MIB or 16 * MIB)
                end
                local piece = reader:read()
                if not piece then break end
                bytes = bytes + #piece
            end
            assert.equal(mib * MIB, bytes)
            grown = resident() - before
        end)
        assert.is_true(grown <= 32768, ("%d KiB more"):format(grown)) -- a part of what it passed on
    end)

    it("stays flat over rings that are made and left to the collector", function()
        local function rings(n)
            for i = 1, n do
                local one = luring.queue_init(8, 0)
                for _ = 1, 8 do luring.read(one, zeros, 10000, 0, function() return i end) end
                luring.submit(one)
                if i % 20 == 0 then drive.collect() end
            end
        end
        rings(100)
        local before = resident()
        rings(300)
        local grown = resident() - before
        assert.is_true(grown <= 1024, ("%d KiB more"):format(grown))
    end)
end)
