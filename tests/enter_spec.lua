local luring = require "luring"
local child = require "child"

local supervise = child.compile("supervise.c", "supervise")

-- Runs a program of which every `every`-th of these system calls fails, from the `from`-th on.
local function supervised(chunk, calls, errno, every, from)
    return child.run(chunk, ("%s %s %d %d %d"):format(child.quote(supervise), calls, errno, every, from or every))
end

local refused = supervised("", "io_uring_enter", luring.EINTR, 1000).status == 77

-- Whatever goes through a file, a pipe and a socket is as it was, and each completion comes once.
local RING = [[
    local luring = require "luring"
    local ring = luring.queue_init(8, 0)
    local said = 0
    local function turn(n)
        local submitted = luring.submit_and_wait(ring, n)
        if submitted < 0 then
            said = said + 1
            local name = luring.errname(-submitted)
            assert(name == "EINTR" or name == "EAGAIN" or name == "EBUSY" or name == "ENOMEM", name)
        end
        luring.do_cqes(ring)
    end
    local text = {}
    for i = 1, 40 do text[i] = ("%5d"):format(i):rep(400) end
    text = table.concat(text)
    local function through(from, to, write, read, offset, flags)
        local sent, got, asked, data = 0, 0, false, {}
        local function next_write()
            if sent >= #text then return end
            local part = text:sub(sent + 1, sent + 5000)
            assert(luring[write](ring, to, part, offset and sent or flags, function(cqe, res)
                luring.cqe_seen(ring, cqe)
                assert(res == #part, res)
                sent = sent + res
                next_write()
            end))
        end
        next_write()
        while got < #text do
            if not asked and (not offset or got < sent) then
                asked = true
                assert(luring[read](ring, from, 3000, offset and got or flags, function(cqe, res, part)
                    luring.cqe_seen(ring, cqe)
                    assert(res > 0, res)
                    asked, got, data[#data + 1] = false, got + res, part
                end))
            end
            turn(1)
        end
        while luring.in_flight(ring) > 0 do turn(1) end
        assert(table.concat(data) == text, "other bytes")
    end
    local path = os.tmpname()
    local file = luring.open_file(path, "w+")
    through(file, file, "write", "read", true)
    os.remove(path)
    local from, to = luring.pipe2()
    through(from, to, "write", "read", false, -1)
    local one, other = luring.socketpair()
    through(one, other, "send", "recv", false, 0)
    -- A ring ends, with what is in flight and what is not submitted.
    for _ = 1, 4 do luring.read(ring, from, 100, -1) end
    turn(0)
    luring.read(ring, from, 100, -1)
    luring.queue_exit(ring)
    io.write("done ", said)
]]

local TASKS = [[
    local co = require "luring.co"
    local text = ("0123456789abcdef"):rep(5000)
    co.run(function()
        local path = os.tmpname()
        assert(co.write_file(path, text))
        assert(co.read_file(path) == text, "the file's bytes")
        os.remove(path)
        local server = assert(co.listen("127.0.0.1", 0))
        co.spawn(function()
            server:serve(function(client)
                for i = 1, 20 do
                    assert(client:line() == "line " .. i, "the server's bytes")
                    client:write("answer ", i, "\n")
                end
                client:write(text)
            end)
        end)
        local clients = {}
        for n = 1, 3 do
            clients[n] = co.spawn(function()
                local client = assert(co.connect(server:address()))
                for i = 1, 20 do
                    client:write("line ", i, "\n")
                    assert(client:line() == "answer " .. i, "the client's bytes")
                end
                assert(client:read_all() == text, "the last bytes")
                client:close()
            end)
        end
        for n = 1, 3 do clients[n]:join() end
        server:close()
        assert(select(2, co.timeout(0.001, co.sleep, 100)) == "timed out")
    end)
    io.write("done")
]]

describe("where io_uring_enter fails now and then,", function()
    if refused then
        it("nothing is lost", function() pending("seccomp has no supervisors here") end)
        return
    end

    for _, name in ipairs { "EINTR", "EAGAIN", "EBUSY", "ENOMEM" } do
        it(("submit says so, and what was queued stays: %s"):format(name), function()
            for _, every in ipairs { 2, 3, 7 } do
                local result = supervised(RING, "io_uring_enter", luring[name], every)
                assert.truthy(result.output:find("^done [1-9]"), ("%s, every %d"):format(result.output, every))
                assert.equal(0, result.status)
            end
        end)

        it(("tasks go on: %s"):format(name), function()
            for _, every in ipairs { 2, 3, 7 } do
                local result = supervised(TASKS, "io_uring_enter", luring[name], every)
                assert.equal("done", result.output, ("every %d"):format(every))
                assert.equal(0, result.status)
            end
        end)
    end
end)

-- What a ring has in flight when io_uring is taken from the process, and what it wants to do then.
local LEFT = [[
    local luring = require "luring"
    local ring = luring.queue_init(4, 0)
    local from, to = luring.pipe2()
    luring.read(ring, from, 100, -1, function() error("there is nothing to read") end)
    assert(luring.submit(ring) == 1) -- the last call that is made
    luring.read(ring, from, 100, -1, print)
]]

describe("where io_uring_enter fails for good once there is a ring,", function()
    if refused then
        it("everything ends", function() pending("seccomp has no supervisors here") end)
        return
    end

    for _, name in ipairs { "EPERM", "ENOSYS" } do
        it(("submit says so, and the ring can be exited: %s"):format(name), function()
            local result = supervised(LEFT .. ([[
                local gone = -luring.%s
                assert(luring.submit(ring) == gone)
                assert(luring.submit_and_wait(ring, 1) == gone)
                assert(luring.submit_and_wait(ring, 1, 0.01) == gone)
                assert(luring.do_cqes(ring) == -luring.EAGAIN)
                assert(luring.run(ring) == gone)
                for _ = 1, 3 do luring.write(ring, to, "x", -1) end
                assert(luring.read(ring, from, 1, -1) == nil)
                assert(luring.reserve(ring, 4) == gone)
                assert(luring.in_flight(ring) == 5)
                luring.queue_exit(ring)
                assert(not pcall(luring.submit, ring))
                io.write("done")
            ]]):format(name), "io_uring_enter", luring[name], 1, 2)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)

        it(("a state that is closed ends its rings: %s"):format(name), function()
            local result = supervised(LEFT .. "io.write('done')", "io_uring_enter", luring[name], 1, 2)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)

        it(("run of luring.co raises: %s"):format(name), function()
            for from = 1, 12 do
                local result = supervised(([[
                    local co, luring = require "luring.co", require "luring"
                    local ok, message = pcall(co.run, function()
                        local one, other = luring.socketpair()
                        one, other = co.stream(one), co.stream(other)
                        co.spawn(function() while true do other:read() end end)
                        for _ = 1, 100 do
                            one:write("x")
                            co.sleep(0.0001)
                        end
                    end)
                    assert(not ok)
                    assert(tostring(message):find(luring.strerror(luring.%s), 1, true), message)
                    io.write("done")
                ]]):format(name), "io_uring_enter", luring[name], 1, from)
                assert.equal("done", result.output, from)
                assert.equal(0, result.status)
            end
        end)
    end

    it("run of luring.co does not try for ever", function()
        local result = supervised([[
            local co, luring = require "luring.co", require "luring"
            local ok, message = pcall(co.run, function() co.await(luring.nop) end)
            assert(not ok)
            assert(tostring(message):find(luring.strerror(luring.EAGAIN), 1, true), message)
            io.write("done")
        ]], "io_uring_enter", luring.EAGAIN, 1, 1)
        assert.equal("done", result.output)
        assert.equal(0, result.status)
    end)
end)

describe("where io_uring_register fails now and then,", function()
    if refused then
        it("it does nothing", function() pending("seccomp has no supervisors here") end)
        return
    end

    for _, name in ipairs { "EINTR", "EAGAIN", "EBUSY", "ENOMEM" } do
        it(("what is registered says so, and the next time it is done: %s"):format(name), function()
            local result = supervised(([[
                local luring = require "luring"
                local ring = luring.queue_init(8, 0)
                local from, to = luring.pipe2()
                local buffer, failed, event = luring.buffer(100), 0, luring.eventfd()
                local function done(f, ...)
                    for _ = 1, 3 do
                        local res = f(...)
                        if type(res) ~= "number" or res >= 0 then return res end
                        assert(res == -luring.%s, res)
                        failed = failed + 1
                    end
                    error("it fails always")
                end
                local function one(name, ...)
                    local args, got = { ... }, nil
                    args[#args + 1] = function(cqe, res, value)
                        luring.cqe_seen(ring, cqe)
                        got = { res, value }
                    end
                    assert(luring[name](ring, (unpack or table.unpack)(args)))
                    while not got do
                        luring.submit_and_wait(ring, 1)
                        luring.do_cqes(ring)
                    end
                    return got[1], got[2]
                end
                for _ = 1, 5 do
                    done(luring.register_files, ring, { from, to })
                    done(luring.register_buffers, ring, { buffer })
                    done(luring.register_eventfd, ring, event)
                    buffer:set(1, "hello")
                    assert(one("write_fixed", luring.fixed(1), buffer:view(1, 5), -1, 0) == 5)
                    assert(select(2, one("read", luring.fixed(0), 100, -1)) == "hello")
                    if luring.can "buf_ring" then
                        local group = done(luring.buf_ring, ring, 2, 64)
                        one("write", to, "group", -1)
                        assert(select(2, one("read", from, group, -1)) == "group")
                        pcall(group.close, group) -- which may fail as well
                    end
                    done(luring.unregister_files, ring)
                    done(luring.unregister_buffers, ring)
                    done(luring.unregister_eventfd, ring)
                end
                luring.queue_exit(ring)
                assert(failed > 5, failed)
                io.write("done")
            ]]):format(name), "io_uring_register", luring[name], 2)
            assert.equal("done", result.output)
            assert.equal(0, result.status)
        end)
    end
end)
