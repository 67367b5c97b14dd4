local luring = require "luring"
local child = require "child"
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

    it("frees its copy of what is in flight with the ring", function()
        assert(luring.read(ring, from, luring.buffer(64 * 1024 * 1024), -1))
        assert.equal(1, luring.submit(ring))
        assert.equal(0, in_child(function()
            local before = drive.mapped()
            luring.queue_exit(ring)
            drive.collect()
            -- A checker may map more meanwhile.
            return child.wrapper ~= "" or before - drive.mapped() > 60 * 1024
        end))
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

-- What a ring may be doing when the process forks: `prepare` brings it there, and `verify` is what the
-- parent does when the child has ended.
local STATES = {
    ["with actions that are not submitted"] = [[
        local function prepare()
            luring.write(s.ring, to, "hello", -1, note "write")
            luring.read(s.ring, from, 100, -1, note "read")
        end
        local function verify()
            turn(2)
            assert(got.write[1] == 5 and got.read[2] == "hello")
        end]],
    ["with an action in flight"] = [[
        local function prepare()
            luring.read(s.ring, from, 100, -1, note "read")
            assert(luring.submit(s.ring) == 1)
        end
        local function verify()
            assert(luring.write(s.ring, to, "alive", -1, note "write"))
            turn(2)
            assert(got.write[1] == 5 and got.read[2] == "alive")
        end]],
    ["with a thread of the kernel's that takes from it"] = [[
        local function prepare()
            luring.queue_exit(s.ring)
            s.ring = luring.queue_init(16, luring.IORING_SETUP_SQPOLL)
            luring.read(s.ring, from, 100, -1, note "read")
            assert(luring.submit(s.ring) >= 0)
        end
        local function verify()
            assert(luring.write(s.ring, to, "polled", -1, note "write"))
            turn(2)
            assert(got.write[1] == 6 and got.read[2] == "polled")
        end]],
    ["with completions that are there"] = [[
        local function prepare()
            luring.write(s.ring, to, "hello", -1, note "write")
            luring.read(s.ring, from, 100, -1, note "read")
            assert(luring.submit_and_wait(s.ring, 2) == 2)
        end
        local function verify()
            luring.do_cqes(s.ring)
            assert(got.write[1] == 5 and got.read[2] == "hello")
        end]],
    ["with a multishot, and its group"] = [[
        local one, other = luring.socketpair()
        local text = ""
        local function prepare()
            s.group = luring.buf_ring(s.ring, 4, 64)
            s.key = luring.recv_multishot(s.ring, other, s.group, 0, function(cqe, res, value)
                luring.cqe_seen(s.ring, cqe)
                if res > 0 then text = text .. value end
            end)
            luring.send(s.ring, one, "before ", 0)
            turn(2)
        end
        local function verify()
            luring.send(s.ring, one, "after", 0)
            turn(2)
            assert(text == "before after", text)
            assert(s.group:available() == 4)
        end]],
    ["with a view of a group's buffer that is lent"] = [[
        local one, other = luring.socketpair()
        local function prepare()
            s.group = luring.buf_ring(s.ring, 2, 64)
            s.group:manual(true)
            luring.send(s.ring, one, "lent", 0)
            luring.recv(s.ring, other, s.group, 0, function(cqe, _, view)
                luring.cqe_seen(s.ring, cqe)
                s.view = view
            end)
            turn(2)
        end
        local function verify()
            assert(s.view:sub() == "lent" and s.group:available() == 1)
            s.group:give(s.view)
            assert(s.group:available() == 2)
        end]],
    ["with tables of files and of buffers"] = [[
        local function prepare()
            s.buffer = luring.buffer(4096)
            s.buffer:set(1, "table")
            assert(luring.register_files(s.ring, { from, to }) == 0)
            assert(luring.register_buffers(s.ring, { s.buffer }) == 0)
        end
        local function verify()
            luring.write_fixed(s.ring, luring.fixed(1), s.buffer:view(1, 5), -1, 0)
            luring.read(s.ring, luring.fixed(0), 100, -1, note "read")
            turn(2)
            assert(got.read[2] == "table")
        end]],
}

local NEEDS = {
    ["with a multishot, and its group"] = "recv_multishot",
    ["with a view of a group's buffer that is lent"] = "buf_ring",
}

-- How the child ends: at once, when it has collected all, or as its script does, which closes the state.
local ENDINGS = {
    ["exits"] = "host.exit(0)",
    ["collects"] = [[
        local gc = debug.getmetatable(s.ring).__gc
        if s.group then pcall(s.group.close, s.group) end
        s.ring, s.group, s.view, s.buffer = nil, nil, nil, nil
        for _ = 1, 3 do collectgarbage() end
        host.exit(gc and 0 or 1)]],
    ["ends its state"] = "return",
    ["works with a ring of its own"] = [[
        local own, text = luring.queue_init(4, 0), nil
        local a, b = luring.pipe2()
        luring.write(own, b, "own", -1)
        luring.read(own, a, 10, -1, function(cqe, _, data)
            luring.cqe_seen(own, cqe)
            text = data
        end)
        while not text do
            luring.submit_and_wait(own, 1)
            luring.do_cqes(own)
        end
        assert(text == "own" and not pcall(luring.submit, s.ring))
        return]],
}

describe("a fork", function()
    for state, code in pairs(STATES) do
        it(state .. " leaves the parent's ring as it was, however the child ends", function()
            local needs = NEEDS[state]
            if needs and not (luring.can(needs) and drive.has(needs)) then
                return pending("this kernel or liburing has none")
            end
            for ending, last in pairs(ENDINGS) do
                local result = child.run(([[
                    local luring = require "luring"
                    local host = package.loadlib(%q, "luaopen_host")()
                    local s, got = { ring = luring.queue_init(16, 0) }, {}
                    local from, to = luring.pipe2()
                    local function note(name)
                        return function(cqe, res, value)
                            luring.cqe_seen(s.ring, cqe)
                            assert(not got[name], "twice")
                            got[name] = { res, value }
                        end
                    end
                    local function turn(n)
                        assert(luring.submit_and_wait(s.ring, n) >= 0)
                        luring.do_cqes(s.ring)
                    end
                ]]):format(host.path) .. code .. [[
                    prepare()
                    local pid = host.fork()
                    if pid == 0 then ]] .. last .. [[ end
                    assert(host.wait(pid) == 0, "the child")
                    verify()
                    luring.queue_exit(s.ring)
                    io.write("done")]])
                assert.equal("done", result.output, ending)
                assert.equal(0, result.status)
            end
        end)
    end

    for ending, last in pairs {
        ["exits"] = "host.exit(0)",
        ["raises"] = "error('in the child')",
        ["returns"] = "return",
        ["waits"] = "co.sleep(0.001)",
    } do
        it("within a task leaves the parent's tasks as they were: the child " .. ending, function()
            local result = child.run(([[
                local luring, co = require "luring", require "luring.co"
                local host = package.loadlib(%q, "luaopen_host")()
                local in_child, text
                local ok = pcall(co.run, function()
                    local one, other = luring.socketpair()
                    one, other = co.stream(one), co.stream(other)
                    local reader = co.spawn(function() text = other:line() end)
                    local sleeper = co.spawn(function() co.sleep(0.01) end)
                    co.sleep(0)
                    local pid = host.fork()
                    if pid == 0 then
                        in_child = true
                        %s
                        return
                    end
                    assert(host.wait(pid) == 0, "the child")
                    one:write("alive\n")
                    reader:join()
                    sleeper:join()
                    one:close()
                end)
                if in_child then return end
                assert(ok and text == "alive")
                io.write("done")
            ]]):format(host.path, last:find("return", 1, true) and "" or last))
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)
    end
end)
