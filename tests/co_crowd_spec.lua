local co = require "luring.co"
local luring = require "luring"
local child = require "child"

-- From a thousand tasks on, streams read into buffers that they share.
local MANY = 1000

describe("with many tasks, streams", function()
    it("get what came for all at once, though there are fewer buffers", function()
        local COUNT = 1100
        if tonumber(child.contents("/proc/self/limits"):match("Max open files%s+(%d+)")) < 2 * COUNT + 100 then
            return pending("there are not that many descriptors here")
        end
        local got, peers, whole, reads = {}, {}, {}, 0
        co.run(function()
            for n = 1, COUNT do
                local mine, peer = luring.socketpair()
                peers[n] = peer
                co.spawn(function()
                    local stream = co.stream(mine)
                    if n % 2 == 0 then stream:settimeout(60) end
                    for _ = 1, 2 do
                        local data = stream:read()
                        got[n] = (got[n] or "") .. tostring(data)
                        reads = reads + 1
                    end
                    -- More than one of them holds.
                    whole[n] = stream:read_exactly(10000) == ("%05d"):format(n):rep(2000)
                end)
            end
            -- All at once, which no task could.
            local ring = luring.queue_init(2 * COUNT, 0)
            local function tell(text)
                local before = reads
                co.sleep(0)
                for n = 1, COUNT do
                    luring.send(ring, peers[n], text:format(n), 0)
                end
                luring.submit_and_wait(ring, COUNT)
                luring.do_cqes(ring)
                for _ = 1, 10000 do
                    if reads == before + COUNT then return end
                    co.sleep(0.001)
                end
                error(("%d of %d have read"):format(reads - before, COUNT), 0)
            end
            tell "first %d "
            tell "second %d"
            for n = 1, COUNT do
                luring.send(ring, peers[n], ("%05d"):format(n):rep(2000), luring.MSG_WAITALL)
            end
            luring.submit_and_wait(ring, COUNT)
            luring.queue_exit(ring)
        end)
        for n = 1, COUNT do
            assert.equal(("first %d second %d"):format(n, n), got[n])
            assert.is_true(whole[n])
            luring.close_fd(peers[n])
        end
    end)

    it("that wait are ended as ever", function()
        co.run(function()
            local from, to = luring.pipe2()
            local sleepers = {}
            for n = 1, MANY do sleepers[n] = co.spawn(co.sleep, 100) end
            local one, other = luring.socketpair()
            local stream, pipe = co.stream(one), co.stream(from)
            stream:settimeout(0.01)
            assert.same({ nil, "timed out", co.ETIMEDOUT }, { stream:read() })
            stream:settimeout()
            local reader = co.spawn(stream.read, stream)
            co.sleep(0.001)
            reader:cancel()
            assert.is_false((co.pcall(reader.join, reader)))
            assert.equal(5, (co.io.write(to, "piped", -1)))
            assert.equal("piped", pipe:read())
            luring.close_fd(other)
            assert.same({}, { stream:read() })
            luring.close_fd(to)
            for n = 1, MANY do sleepers[n]:cancel() end
        end)
    end)

    it("that wait have no buffer each", function()
        if child.wrapper ~= "" then return pending("a checker makes each thing larger") end
        local result = child.run(([[
            local luring = require "luring"
            local co = require "luring.co"
            local drive = require "drive"
            local function resident() -- in bytes, beside what Lua counts as its own
                drive.collect()
                return (drive.resident() - collectgarbage("count")) * 1024
            end
            co.run(function()
                local from = luring.pipe2()
                local function wait() co.stream(from):read() end
                local function spawn(n)
                    for _ = 1, n do co.spawn(wait) end
                    co.sleep(0)
                    co.sleep(0.001)
                end
                spawn(%d)
                local before = resident()
                spawn(3000)
                local each = (resident() - before) / 3000
                io.write(each < 3200 and "little" or each) -- a buffer is a page at least
                io.stdout:flush()
                os.exit(0, false)
            end)
        ]]):format(MANY))
        assert.equal("little", result.output)
    end)
end)
