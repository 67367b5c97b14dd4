local luring = require "luring"
local drive = require "drive"
local host = require "host"

-- Each case runs in a Lua state of its own, in this process, which is closed in the end.
local START = [[
local luring = require "luring"
local ring = luring.queue_init(16, 0)
local from, to = luring.pipe2(luring.O_CLOEXEC)
local one, other = luring.socketpair()
local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
local calls = 0
]]

-- The action, and what completes it, which waits for both. The write finds the pipe full.
local KINDS = {
    { "read", "luring.read(ring, from, 100000, -1, callback)",
        'luring.write(ring, to, "hello", -1) luring.submit_and_wait(ring, 2)' },
    { "recv", "luring.recv(ring, other, 100000, 0, callback)",
        'luring.send(ring, one, "hello", 0) luring.submit_and_wait(ring, 2)' },
    { "write", [[luring.write(ring, to, ("y"):rep(65536), -1) luring.submit_and_wait(ring, 1) luring.do_cqes(ring)
        luring.write(ring, to, ("x"):rep(60000), -1, callback)]],
        "luring.read(ring, from, 65536, -1) luring.submit_and_wait(ring, 2)" },
    { "accept", "luring.accept(ring, listener, 0, callback)",
        "luring.tcp_connect(luring.getsockname(listener)) luring.submit_and_wait(ring, 1)" },
}

local ENDS = {
    { "queue_exit", "luring.queue_exit(ring)" },
    { "collected", "ring = nil for _ = 1, 3 do collectgarbage() end" },
    { "overwritten", "ring = luring.queue_init(16, 0) for _ = 1, 3 do collectgarbage() end" },
    { "closed with its state", "" },
    { "ended by an error", 'error("on purpose", 0)' },
}

-- Where in the action's life the end comes. %a is the action, %c what completes it, %e the end.
local POINTS = {
    { "queued", "local callback = function() calls = calls + 1 end %a %e" },
    { "submitted", "local callback = function() calls = calls + 1 end %a luring.submit(ring) %e" },
    { "completed", [[local callback = function() calls = calls + 1 end %a luring.submit(ring) %c
        collectgarbage() %e]] },
    { "in its callback, before cqe_seen", [[local callback = function() calls = calls + 1 %e end
        %a luring.submit(ring) %c luring.do_cqes(ring)]] },
    { "in its callback, after cqe_seen", [[local callback = function(cqe)
            calls = calls + 1 luring.cqe_seen(ring, cqe) %e end
        %a luring.submit(ring) %c luring.do_cqes(ring)]] },
}

local function is_ring(fd)
    local info = io.open(("/proc/self/fdinfo/%d"):format(fd))
    if not info then return false end
    local text = info:read("*a")
    info:close()
    return text:find("SqMask", 1, true) ~= nil
end

describe("a ring that is", function()
    for _, ending in ipairs(ENDS) do
        for _, point in ipairs(POINTS) do
            it(("%s while an action is %s lets go of all"):format(ending[1], point[1]), function()
                for _, kind in ipairs(KINDS) do
                    local in_callback = point[1]:find("callback", 1, true)
                    local body = point[2]:gsub("%%(%a)", { a = kind[2], c = kind[3], e = ending[2] })
                    local expected = ending[1] == "ended by an error" and "on purpose" or nil
                    -- Unless it was seen, a completion whose ring lives on is delivered for ever.
                    if in_callback and not ending[1]:find("queue_exit", 1, true) and not expected then
                        body = body:gsub("calls = calls %+ 1", "calls = calls + 1 if calls > 3 then error(0, 0) end")
                        body = ("pcall(function() %s end)"):format(body)
                    end
                    if in_callback then body = body .. " assert(calls > 0)" end
                    local free = drive.idle_pipe()
                    drive.close(free, free + 1)
                    local result = host.state(START .. body)
                    assert.equal(expected, result, kind[1])
                    for fd = free, free + 40 do
                        assert.is_false(is_ring(fd), kind[1])
                        drive.close(fd)
                    end
                end
            end)
        end
    end
end)

describe("the kernel", function()
    it("does not write to a ring's buffers once the ring is gone", function()
        -- What the collected rings were reading arrives only later.
        local from, to = drive.idle_pipe()
        for _ = 1, 50 do
            local ring = luring.queue_init(8, 0)
            for _ = 1, 8 do luring.read(ring, from, 65536, -1) end
            luring.submit(ring)
            luring.queue_exit(ring)
        end
        local ring = luring.queue_init(8, 0)
        assert.equal(5, (drive.one(ring, "write", to, "still", -1)))
        assert.same({ 5, "still" }, { drive.one(ring, "read", from, 100, -1) })
        luring.queue_exit(ring)
        drive.close(from, to)
    end)
end)

describe("a ring that can't be ended keeps", function()
    -- The kernel lets no other thread enter a ring with SINGLE_ISSUER: so what is in flight can't be
    -- cancelled. A child's copy of its descriptor keeps the ring going in any case.
    local SINGLE_ISSUER, SIZE, READS = 0x1000, 65536, 16
    local ring, from, to, feeder, child, gate, open_gate

    before_each(function()
        local made
        made, ring = pcall(luring.queue_init, READS, SINGLE_ISSUER)
        if not made then ring = nil end
        from, to = drive.idle_pipe()
        gate, open_gate = drive.idle_pipe()
        feeder = luring.queue_init(4, 0)
    end)

    local function feed(content) assert.equal(#content, (drive.one(feeder, "write", to, content, -1))) end

    local function end_in_vain()
        child = host.fork()
        if child == 0 then
            luring.close_fd(open_gate)
            pcall(drive.one, luring.queue_init(1, 0), "read", gate, 1, -1) -- ends with the parent, at the latest
            host.exit(0)
        end
        assert.is_nil(host.thread(function() luring.queue_exit(ring) end))
        assert.has_error(function() luring.submit(ring) end)
    end

    after_each(function()
        luring.close_fd(open_gate)
        if ring ~= nil then assert.equal(0, host.wait(child)) end
        luring.queue_exit(feeder)
        drive.close(from, to, gate)
    end)

    it("the buffers that the kernel may still write to", function()
        if not ring then return pending("SINGLE_ISSUER is not known here") end
        for _ = 1, READS do luring.read(ring, from, SIZE, -1, print) end
        assert.equal(READS, luring.submit(ring))
        end_in_vain()

        -- If any of them was freed, it is among these.
        local after = luring.queue_init(READS, 0)
        local zeros = luring.open_file("/dev/zero", "r")
        local right, wrong = 0, 0
        for _ = 1, READS do
            luring.read(after, zeros, SIZE, -1, function(cqe, _, result)
                luring.cqe_seen(after, cqe)
                if result == ("\0"):rep(#result) then right = right + 1 else wrong = wrong + 1 end
            end)
        end
        luring.submit_and_wait(after, READS)
        for _ = 1, READS do feed(("!"):rep(4096)) end
        luring.do_cqes(after)
        luring.queue_exit(after)
        luring.close_fd(zeros)
        assert.same({ READS, 0 }, { right, wrong })
    end)

    it("the content that the kernel may still read", function()
        if not ring then return pending("SINGLE_ISSUER is not known here") end
        feed(("y"):rep(SIZE)) -- so that the next has to wait
        luring.write(ring, to, ("the content "):rep(5000), -1, print)
        assert.equal(1, luring.submit(ring))
        end_in_vain()
        ring = false
        drive.collect()
        local others = {}
        for i = 1, 100 do others[i] = (("%011d "):format(i)):rep(5000) end

        -- It may come before the end that is written here, or after one, or not at all.
        local _, text = drive.one(feeder, "read", from, SIZE, -1)
        assert.equal(("y"):rep(SIZE), text)
        local got = {}
        for i = 1, 10 do
            feed("end")
            _, got[i] = drive.one(feeder, "read", from, SIZE, -1)
        end
        local all = table.concat(got):gsub("end", "")
        assert.equal(100, #others)
        assert.equal("", (all:gsub("the content ", "")))
    end)
end)

describe("two hundred states", function()
    it("open, use and close the module", function()
        for _ = 1, 200 do
            local result = host.state([[
                local luring = require "luring"
                local ring = luring.queue_init(8, 0)
                local from, to = luring.pipe2()
                local text
                luring.write(ring, to, "x", -1)
                luring.submit_and_wait(ring, 1)
                luring.do_cqes(ring)
                luring.read(ring, from, 10, -1, function(cqe, _, result)
                    luring.cqe_seen(ring, cqe)
                    text = result
                end)
                luring.submit_and_wait(ring, 1)
                luring.do_cqes(ring)
                luring.read(ring, from, 10, -1)
                luring.submit(ring)
                luring.close_fd(from)
                luring.close_fd(to)
                assert(text == "x")
            ]])
            assert.is_nil(result)
        end
    end)
end)
