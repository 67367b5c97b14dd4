local luring = require "luring"
local drive = require "drive"
local host = require "host"

describe("a forked child", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(8, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    -- Runs `f` in a child: its exit status, 0 when `f` returned true.
    local function in_child(f)
        local pid = host.fork()
        if pid == 0 then
            local ok, result = pcall(f)
            host.exit(ok and result == true and 0 or 1)
        end
        return host.wait(pid)
    end

    it("gets an argument error for every use of its parent's ring", function()
        assert.equal(0, in_child(function()
            local calls = {
                { luring.submit }, { luring.submit_and_wait, 0 }, { luring.do_cqes },
                { luring.cqe_seen, host.light(1) },
                { luring.read, from, 1, -1 }, { luring.write, to, "x", -1 }, { luring.recv, from, 1, 0 },
                { luring.send, to, "x", 0 }, { luring.accept, from, 0 },
            }
            for _, call in ipairs(calls) do
                local ok, message = pcall(call[1], ring, (unpack or table.unpack)(call, 2))
                if ok or not message:find("bad argument #1", 1, true) then return false end
                if not message:find("the ring belongs to the parent process", 1, true) then return false end
            end
            return true
        end))
    end)

    it("that ends or collects it neither cancels nor steals the parent's actions", function()
        for _, ending in ipairs { "queue_exit", "collect", "exit" } do
            local got
            luring.read(ring, from, 100, -1, function(cqe, res, result)
                luring.cqe_seen(ring, cqe)
                got = { res, result }
            end)
            luring.submit(ring)
            assert.equal(0, in_child(function()
                if ending == "queue_exit" then luring.queue_exit(ring) end
                if ending == "collect" then
                    debug.getmetatable(ring).__gc(ring)
                end
                return true
            end), ending)
            assert.equal(-11, luring.do_cqes(ring))
            assert.is_nil(got)
            luring.write(ring, to, "alive", -1)
            drive.turn(ring, 2)
            assert.same({ 5, "alive" }, got)
        end
    end)

    it("leaves completions that are there to the parent", function()
        local called = 0
        luring.write(ring, to, "x", -1, function(cqe)
            luring.cqe_seen(ring, cqe)
            called = called + 1
        end)
        luring.submit_and_wait(ring, 1)
        assert.equal(0, in_child(function()
            luring.queue_exit(ring)
            return true
        end))
        assert.equal(-11, luring.do_cqes(ring))
        assert.equal(1, called)
    end)

    it("of a callback returns from do_cqes, and the parent goes on", function()
        local called, status = 0, nil
        for _ = 1, 3 do
            luring.write(ring, to, "x", -1, function(cqe)
                called = called + 1
                if called == 1 then
                    local pid = host.fork()
                    if pid == 0 then
                        local ok = pcall(luring.cqe_seen, ring, cqe)
                        if ok then host.exit(1) end
                        return -- do_cqes of the child returns
                    end
                    status = host.wait(pid)
                end
                luring.cqe_seen(ring, cqe)
            end)
        end
        luring.submit_and_wait(ring, 3)
        local returned = luring.do_cqes(ring)
        if not status then host.exit(returned == -11 and called == 1 and 0 or 2) end
        assert.equal(-11, returned)
        assert.equal(0, status)
        assert.equal(3, called)
    end)

    it("makes rings of its own", function()
        assert.equal(0, in_child(function()
            local own = luring.queue_init(4, 0)
            local one, other = luring.pipe2()
            drive.one(own, "write", other, "own", -1)
            local _, text = drive.one(own, "read", one, 10, -1)
            luring.queue_exit(own)
            return text == "own"
        end))
    end)
end)
