local co = require "luring.co"

describe("a channel", function()
    it("without room hands a value from its sender to its receiver", function()
        co.run(function()
            local channel = co.channel()
            local log = {}
            co.spawn(function()
                for n = 1, 3 do
                    channel:send(n)
                    log[#log + 1] = "sent " .. n
                end
                channel:close()
            end)
            co.sleep(0)
            assert.same({}, log)
            assert.equal(1, channel:recv())
            co.sleep(0)
            assert.same({ "sent 1" }, log)
            assert.equal(2, channel:recv())
            assert.equal(3, channel:recv())
            assert.same({ nil, "closed" }, { channel:recv() })
        end)
    end)

    it("with room takes that many, and is drained when it is closed", function()
        co.run(function()
            local channel = co.channel(2)
            assert.is_true(channel:try_send("a"))
            assert.is_true(channel:send(false))
            assert.is_false(channel:try_send("c"))
            channel:close()
            assert.same({ nil, "closed" }, { channel:send("d") })
            assert.equal("a", channel:recv())
            assert.equal(false, channel:recv())
            assert.same({ nil, "closed" }, { channel:recv() })
            assert.same({ nil, "closed" }, { channel:try_recv() })
        end)
    end)

    it("without end takes any number, in order", function()
        co.run(function()
            local channel = co.channel(math.huge)
            for n = 1, 1000 do channel:send(n) end
            for n = 1, 1000 do assert.equal(n, channel:recv()) end
            assert.is_nil(channel:try_recv())
        end)
    end)

    it("has as many places as a whole number says, and so has a semaphore", function()
        for _, n in ipairs { 1.5, 0 / 0, -1, -math.huge, "x" } do
            assert.is_false(pcall(co.channel, n), n)
            assert.is_false(pcall(co.semaphore, n), n)
        end
        assert.is_false(pcall(co.semaphore, 0))
        assert.truthy(co.channel(math.huge))
        assert.truthy(co.semaphore(math.huge))
        co.run(function() assert.is_false(co.pcall(co.map, 0 / 0, { 1 }, print)) end)
    end)

    it("takes no nil", function()
        co.run(function()
            assert.is_false(pcall(co.channel(1).try_send, co.channel(1), nil))
            assert.is_false(co.pcall(co.channel(1).send, co.channel(1), nil))
        end)
    end)

    it("tells senders and receivers that it is closed", function()
        co.run(function()
            local got = {}
            for _, how in ipairs { "send", "recv" } do
                local channel = co.channel()
                local t = co.spawn(function() got[how] = { channel[how](channel, 1) } end)
                co.sleep(0)
                channel:close()
                t:join()
            end
            assert.same({ send = { nil, "closed" }, recv = { nil, "closed" } }, got)
        end)
    end)

    it("loses no value to a receiver that is cancelled when it has been handed one", function()
        co.run(function()
            local channel = co.channel(5)
            local got = {}
            local t = co.spawn(function() got[#got + 1] = channel:recv() end)
            co.sleep(0)
            channel:send(1) -- t has it now, and has not run
            channel:send(2)
            t:cancel()
            co.pcall(t.join, t)
            assert.same({}, got)
            assert.equal(1, channel:recv())
            assert.equal(2, channel:recv())
            -- The next in line gets it, if one waits.
            local first = co.spawn(function() got[#got + 1] = channel:recv() end)
            local second = co.spawn(function() got[#got + 1] = channel:recv() end)
            co.sleep(0)
            channel:send(3)
            first:cancel()
            second:join()
            assert.same({ 3 }, got)
        end)
    end)

    it("keeps the order of what several cancelled receivers had been handed", function()
        co.run(function()
            for _, order in ipairs { { 1, 2, 3 }, { 3, 2, 1 }, { 2, 3, 1 } } do
                local channel = co.channel(5)
                local receivers = {}
                for place = 1, 3 do receivers[place] = co.spawn(function() channel:recv() end) end
                co.sleep(0)
                for _, value in ipairs { "A", "B", "C", "D" } do channel:send(value) end
                for _, place in ipairs(order) do receivers[place]:cancel() end
                for _, value in ipairs { "A", "B", "C", "D" } do assert.equal(value, channel:recv()) end
            end
            -- Also when one of them had it from another.
            local channel = co.channel()
            local receivers = {}
            for place = 1, 3 do receivers[place] = co.spawn(function() channel:recv() end) end
            co.sleep(0)
            channel:send("A")
            channel:send("B")
            receivers[1]:cancel()
            receivers[2]:cancel()
            receivers[3]:cancel()
            assert.equal("A", channel:recv())
            assert.equal("B", channel:recv())
        end)
    end)

    it("forgets a cancelled sender", function()
        co.run(function()
            local channel = co.channel()
            local t = co.spawn(function() channel:send("never") end)
            co.sleep(0)
            t:cancel()
            co.sleep(0)
            co.spawn(function() channel:send("this") end)
            assert.equal("this", channel:recv())
        end)
    end)

    it("has a for form", function()
        if _VERSION == "Lua 5.1" and not jit then return end
        co.run(function()
            local channel = co.channel()
            co.spawn(function()
                for n = 1, 3 do channel:send(n) end
                channel:close()
            end)
            local got = {}
            for value in channel:values() do got[#got + 1] = value end
            assert.same({ 1, 2, 3 }, got)
        end)
    end)

    it("serves many tasks fairly", function()
        co.run(function()
            local channel, total = co.channel(), 0
            co.scope(function(s)
                for _ = 1, 10 do
                    s:spawn(function()
                        while true do
                            local n = channel:recv()
                            if not n then return end
                            total = total + n
                        end
                    end)
                end
                co.scope(function(senders)
                    for k = 1, 10 do
                        senders:spawn(function()
                            for n = 1, 20 do channel:send(k * n) end
                        end)
                    end
                end)
                channel:close()
            end)
            assert.equal(55 * 210, total)
        end)
    end)
end)

describe("an event", function()
    it("lets all go on that wait, and those that come later", function()
        co.run(function()
            local event, n = co.event(), 0
            for _ = 1, 3 do
                co.spawn(function()
                    event:wait()
                    n = n + 1
                end)
            end
            co.sleep(0)
            assert.equal(0, n)
            event:set()
            event:set()
            co.sleep(0)
            assert.equal(3, n)
            assert.is_true(event:wait())
        end)
    end)
end)

describe("a semaphore", function()
    it("lets n in, in order", function()
        co.run(function()
            local semaphore = co.semaphore(2)
            local now, most, order = 0, 0, {}
            co.scope(function(s)
                for k = 1, 6 do
                    s:spawn(function()
                        semaphore:with(function()
                            now = now + 1
                            most = math.max(most, now)
                            order[#order + 1] = k
                            co.sleep(0.001)
                            now = now - 1
                        end)
                    end)
                end
            end)
            assert.equal(2, most)
            assert.same({ 1, 2, 3, 4, 5, 6 }, order)
        end)
    end)

    it("gives results and errors, and is free afterwards", function()
        co.run(function()
            local semaphore = co.semaphore(1)
            assert.same({ 1, 2 }, { semaphore:with(function() return 1, 2 end) })
            assert.same({ false, "x" }, { co.pcall(semaphore.with, semaphore, error, "x", 0) })
            local t = co.spawn(function() semaphore:with(co.sleep, 10) end)
            for _ = 1, 3 do co.sleep(0) end
            t:cancel()
            assert.equal("in", semaphore:with(function() return "in" end))
        end)
    end)

    it("loses no count to one that is cancelled, waiting or let in", function()
        co.run(function()
            local semaphore = co.semaphore(1)
            semaphore:acquire()
            local waiting = co.spawn(function() semaphore:acquire() end)
            local let_in = co.spawn(function() semaphore:acquire() end)
            co.sleep(0)
            waiting:cancel()
            semaphore:release()
            let_in:cancel()
            co.sleep(0)
            co.sleep(0)
            assert.equal("in", co.timeout(5, semaphore.with, semaphore, function() return "in" end))
        end)
    end)
end)
