-- luacheck: ignore 311 (what is let go of is set to nil)
local luring = require "luring"
local drive = require "drive"
local host = require "host"

local INCREMENTAL = luring.IOU_PBUF_RING_INC
local MORE = 2 -- IORING_CQE_F_MORE
local unpack = unpack or table.unpack

-- What this kernel lacks is not tested.
local function lacks(flags, action)
    local ring = luring.queue_init(4, 0)
    local group = luring.buf_ring(ring, 1, 1, flags)
    local why
    if type(group) == "number" then
        why = "this kernel has no such groups: " .. luring.strerror(-group)
    elseif action then
        local ok, message = pcall(luring[action], ring, 0, group, 0)
        if not ok then why = message end
    end
    luring.queue_exit(ring)
    return why
end

local function has(mask, bit) return mask % (2 * bit) >= bit end

local kinds = { { "an automatic group", 0 }, { "an incremental group", INCREMENTAL } }
for _, kind in ipairs(kinds) do
    local name, FLAGS = kind[1], kind[2]
    local why = lacks(FLAGS)
    describe(name, function()
        if why then
            it("is there", function() pending(why) end)
            return
        end

        local ring, one, other
        before_each(function()
            ring = luring.queue_init(64, 0)
            one, other = luring.socketpair()
        end)
        after_each(function()
            luring.queue_exit(ring)
            drive.close(one, other)
        end)

        local function send(text) assert.equal(#text, (drive.one(ring, "send", one, text, 0))) end

        it("says what is wrong", function()
            local group = luring.buf_ring(ring, 4, 64, FLAGS)
            local elsewhere = luring.queue_init(4, 0)
            local foreign = luring.buf_ring(elsewhere, 4, 64, FLAGS)
            local closed = luring.buf_ring(ring, 4, 64, FLAGS)
            assert.equal(0, closed:close())
            assert.equal(0, closed:close())
            local cases = {
                { luring.buf_ring, "must be a power of two", ring, 3, 64 },
                { luring.buf_ring, "must be between 1 and 32768", ring, 0, 64 },
                { luring.buf_ring, "must be between 1 and 32768", ring, 65536, 64 },
                { luring.buf_ring, "must be between 1 and 1073741824", ring, 4, 0 },
                { luring.buf_ring, "unknown flags", ring, 4, 64, 1 },
                { luring.buf_ring, "number expected, got string", ring, 4, "x" },
                { luring.buf_ring, "ring expected, got number", 4, 64 },
                { luring.recv, "the group is another ring's", ring, other, foreign, 0 },
                { luring.read, "the group has been closed", ring, other, closed, 0 },
                { luring.send, "string expected, got luring.buf_ring", ring, other, group, 0 },
                { group.available, "the group has been closed", closed },
                { group.available, "luring.buf_ring expected, got luring", ring },
                { group.give, "luring.buffer expected, got string", group, "x" },
                { group.give, "not a view of a group", group, luring.buffer(1) },
            }
            for _, case in ipairs(cases) do
                local ok, message = pcall(case[1], unpack(case, 3, 6))
                assert.is_false(ok)
                assert.truthy(message:find(case[2], 1, true), message)
            end
            luring.queue_exit(elsewhere)
            assert.has_error(function() foreign:available() end)
            assert.equal(0, foreign:close())
            assert.equal(4, group:available())
            assert.equal("luring.buf_ring", getmetatable(group))
        end)

        it("brings what is read and received, and has its buffers back", function()
            local group = luring.buf_ring(ring, 4, 64, FLAGS)
            assert.equal(4, group:available())
            local from, to = luring.pipe2()
            for i = 1, 50 do
                local message = ("received%8d"):format(i)
                send(message)
                local res, text, flags = drive.one(ring, "recv", other, group, 0)
                assert.equal(message, text)
                assert.equal(#text, res)
                assert.is_true(has(flags, 1))
                drive.one(ring, "write", to, message:upper(), -1)
                assert.equal(message:upper(), (select(2, drive.one(ring, "read", from, group, -1))))
                assert.is_true(group:available() >= 3)
            end
            send(("x"):rep(1000))
            local all = ""
            while #all < 1000 do
                local res, text = drive.one(ring, "recv", other, group, 0)
                assert.is_true(res > 0 and res <= 64 and res == #text)
                all = all .. text
            end
            assert.equal(("x"):rep(1000), all)
            drive.close(from, to)
        end)

        it("brings large strings", function()
            local group = luring.buf_ring(ring, 2, 100000, FLAGS)
            local text = ("0123456789"):rep(10000)
            luring.send(ring, one, text, luring.MSG_WAITALL)
            local all = {}
            for _ = 1, 1000 do
                local res, part = drive.one(ring, "recv", other, group, 0)
                all[#all + 1] = part
                if #table.concat(all) == #text then break end
                assert.is_true(res > 0)
            end
            assert.is_true(table.concat(all) == text)
        end)

        it("has its buffer back whatever the completion says", function()
            local group = luring.buf_ring(ring, 4, 64, FLAGS)
            local from, to = luring.pipe2()
            drive.close(to)
            for _ = 1, 20 do
                assert.same({ 0, "" }, { drive.one(ring, "read", from, group, -1), "" })
                assert.equal(4, group:available())
            end
            drive.close(from)
            local directory = luring.open_file("/", "r")
            for _ = 1, 20 do
                local res, value = drive.one(ring, "read", directory, group, -1)
                assert.same({ -luring.EISDIR }, { res, value })
                assert.same({ -luring.ENOTSOCK }, { drive.one(ring, "recv", directory, group, 0), nil })
                assert.equal(4, group:available())
            end
            drive.close(directory)
            local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
            for i = 1, 20 do
                -- A connection that its peer closes with data unread is reset.
                local client = luring.tcp_connect(luring.getsockname(listener))
                local server = drive.one(ring, "accept", listener, 0)
                drive.one(ring, "send", server, "unread", 0)
                local got
                luring[i % 2 == 0 and "read" or "recv"](ring, server, group, 0, function(cqe, res, value)
                    luring.cqe_seen(ring, cqe)
                    got = { res, value }
                end)
                luring.submit(ring)
                drive.close(client)
                while not got do drive.turn(ring) end
                assert.same({ -luring.ECONNRESET }, got)
                assert.equal(4, group:available())
                drive.close(server)
            end
            drive.close(listener)
            -- Each buffer is there once: what is received at the same time does not mix.
            local pairs_of = {}
            for i = 1, 4 do pairs_of[i] = { luring.socketpair() } end
            group:manual(true)
            local views = {}
            for i = 1, 4 do
                drive.one(ring, "send", pairs_of[i][1], ("%64d"):format(i), 0)
                views[i] = select(2, drive.one(ring, "recv", pairs_of[i][2], group, 0))
            end
            for i = 1, 4 do
                assert.equal(("%64d"):format(i), views[i]:sub())
                drive.close(unpack(pairs_of[i]))
            end
        end)

        it("has its buffer back without a callback, too", function()
            local group = luring.buf_ring(ring, 1, 8, FLAGS)
            for _ = 1, 10 do
                send("12345678")
                luring.recv(ring, other, group, 0)
                drive.turn(ring)
                assert.equal(1, group:available())
            end
        end)

        it("brings a file", function()
            local path = os.tmpname()
            local file = io.open(path, "wb")
            for i = 1, 100 do file:write(("%50d"):format(i)) end
            file:close()
            local fd = luring.open_file(path, "r")
            local group = luring.buf_ring(ring, 4, 1000, FLAGS)
            for _ = 1, 5 do
                for i = 0, 4 do
                    local res, text = drive.one(ring, "read", fd, group, i * 1000)
                    assert.equal(1000, res)
                    assert.equal(("%50d"):format(i * 20 + 1), text:sub(1, 50))
                end
                assert.equal(0, (drive.one(ring, "read", fd, group, 5000)))
                assert.equal(4, group:available())
            end
            drive.close(fd)
            os.remove(path)
        end)

        it("brings the same when the completion is delivered again", function()
            local group = luring.buf_ring(ring, 2, 8, FLAGS)
            for _, manual in ipairs { false, true } do
                group:manual(manual)
                send("12345678")
                local got = {}
                luring.recv(ring, other, group, 0, function(cqe, _, value)
                    got[#got + 1] = value
                    if #got == 3 then luring.cqe_seen(ring, cqe) end
                end)
                drive.turn(ring)
                assert.equal(3, #got)
                for i = 1, 3 do
                    assert.is_true(rawequal(got[1], got[i]))
                    assert.equal("12345678", manual and got[i]:sub() or got[i])
                end
            end
        end)

        it("is kept by what is in flight, and ends with its ring", function()
            local group = luring.buf_ring(ring, 4, 64, FLAGS)
            local got
            luring.recv(ring, other, group, 0, function(cqe, _, text)
                luring.cqe_seen(ring, cqe)
                got = text
            end)
            luring.submit(ring)
            assert.has_error(function() group:close() end, "an action in flight uses the group")
            group = nil
            drive.collect()
            send("kept")
            drive.turn(ring, 0)
            assert.equal("kept", got)
            drive.collect()
            local before = drive.mapped()
            for _ = 1, 100 do
                luring.buf_ring(ring, 256, 4096, FLAGS)
                drive.collect()
            end
            assert.is_true(drive.mapped() - before < 20 * 1024, "those that were collected are gone")
            group = luring.buf_ring(ring, 4, 64, FLAGS)
            luring.recv(ring, other, group, 0)
            luring.submit(ring)
            luring.queue_exit(ring)
            assert.has_error(function() group:available() end, "the group has been closed")
            assert.equal(0, group:close())
        end)

        it("is not a child's to close", function()
            local group = luring.buf_ring(ring, 4, 64, FLAGS)
            group:manual(true)
            send(("%16s"):format("view"))
            local _, view = drive.one(ring, "recv", other, group, 0)
            group:manual(false)
            local pid = host.fork()
            if pid == 0 then
                local ok = not pcall(group.available, group) and not pcall(group.close, group)
                    and view:sub(13) == "view" and pcall(group.give, group, view)
                luring.queue_exit(ring)
                group, view = nil, nil
                drive.collect()
                host.exit(ok and 0 or 1)
            end
            assert.equal(0, host.wait(pid))
            assert.equal("view", view:sub(13))
            for i = 1, 20 do
                send(("%16d"):format(i))
                assert.equal(("%16d"):format(i), (select(2, drive.one(ring, "recv", other, group, 0))))
            end
        end)

        it("gives views that go back when they are sent", function()
            local group = luring.buf_ring(ring, 2, 64, FLAGS)
            group:manual(true)
            for i = 1, 40 do
                local text = ("%64d"):format(i)
                send(text)
                local res, view = drive.one(ring, "recv", other, group, 0)
                assert.equal(64, res)
                assert.equal(1, group:available())
                assert.equal(64, #view)
                assert.equal(text, view:sub())
                assert.same({ 61, 64 }, { view:find(("%4d"):format(i)) })
                assert.has_error(function() luring.recv(ring, other, view, 0) end)
                assert.equal(64, (drive.one(ring, "send", other, view, 0)))
                assert.equal(2, group:available())
                for _, use in ipairs { "sub", "find", "set", "view" } do
                    local ok, message = pcall(function() return view[use](view, 1, "x") end)
                    assert.is_false(ok)
                    assert.truthy(message:find("the view has gone back to its group", 1, true), message)
                end
                assert.is_false(pcall(function() return #view end))
                assert.is_false(pcall(luring.send, ring, other, view, 0))
                assert.is_false(pcall(group.give, group, view))
                assert.truthy(tostring(view):find("luring.buffer"))
                assert.same({ 64, text }, { drive.one(ring, "recv", one, 100, 0) })
            end
        end)

        it("has a view back in parts, and only once all of it is sent", function()
            local group = luring.buf_ring(ring, 1, 10, FLAGS)
            group:manual(true)
            send("0123456789")
            local _, view = drive.one(ring, "recv", other, group, 0)
            drive.one(ring, "send", other, view:view(1, 4), 0)
            assert.equal(0, group:available())
            drive.one(ring, "send", other, view:view(8), 0) -- not what comes next
            assert.equal("0123456789", view:sub())
            local part = view:view(5)
            drive.one(ring, "send", other, part, 0)
            assert.equal(1, group:available())
            assert.is_false(pcall(part.sub, part))
            assert.same({ 13, "0123789456789" }, { drive.one(ring, "recv", one, 100, 0) })
        end)

        it("has a view back with the last of several sends", function()
            local group = luring.buf_ring(ring, 1, 10, FLAGS)
            group:manual(true)
            send("0123456789")
            local _, view = drive.one(ring, "recv", other, group, 0)
            local seen = {}
            for i = 1, 3 do
                luring.send(ring, other, view, 0, function(cqe, res)
                    assert.equal(10, res)
                    assert.equal(0, group:available())
                    assert.has_error(function() group:give(view) end)
                    assert.has_error(function() view:set(1, "x") end, "an action in flight is reading these bytes")
                    luring.cqe_seen(ring, cqe)
                    seen[#seen + 1] = i
                end)
            end
            drive.turn(ring, 3)
            assert.equal(3, #seen)
            assert.equal(1, group:available())
        end)

        it("leaves a view to the program if one of several sends is short", function()
            local group = luring.buf_ring(ring, 1, 50000, FLAGS)
            group:manual(true)
            send(("x"):rep(50000))
            local _, view = drive.one(ring, "recv", other, group, luring.MSG_WAITALL)
            -- A pipe takes 65536 bytes.
            local a, to_a = luring.pipe2()
            local b, to_b = luring.pipe2(luring.O_NONBLOCK)
            drive.one(ring, "write", to_b, ("y"):rep(40000), -1)
            local results = {}
            for i, to in ipairs { to_a, to_b } do
                luring.write(ring, to, view, -1, function(cqe, res)
                    luring.cqe_seen(ring, cqe)
                    results[i] = res
                end)
            end
            drive.turn(ring, 2)
            assert.equal(50000, results[1])
            assert.is_true(results[2] < 50000)
            assert.equal(0, group:available())
            drive.one(ring, "read", b, 65536, -1)
            drive.one(ring, "write", to_b, view:view(results[2] + 1), -1)
            assert.equal(1, group:available())
            drive.close(a, to_a, b, to_b)
        end)

        it("leaves a view to the program after a short or a failed send", function()
            local group = luring.buf_ring(ring, 1, 50000, FLAGS)
            group:manual(true)
            send(("x"):rep(50000))
            local res, view = drive.one(ring, "recv", other, group, luring.MSG_WAITALL)
            assert.equal(50000, res)
            view:set(1, "mine")
            -- A pipe takes 65536 bytes.
            local from, to = luring.pipe2(luring.O_NONBLOCK)
            drive.one(ring, "write", to, ("y"):rep(40000), -1)
            local written = drive.one(ring, "write", to, view, -1)
            assert.is_true(written > 0 and written < 50000)
            assert.equal("mine", view:sub(1, 4))
            assert.equal(0, group:available())
            drive.close(from)
            assert.equal(-luring.EPIPE, (drive.one(ring, "write", to, view, -1)))
            assert.equal("mine", view:sub(1, 4))
            drive.close(to)
            assert.equal(50000 - written, (drive.one(ring, "send", other, view:view(written + 1), 0)))
            if FLAGS == 0 then assert.equal(0, group:available()) end
            assert.equal("mine", view:sub(1, 4)) -- its beginning has never been sent whole
            group:give(view)
            assert.is_false(pcall(view.sub, view))
            assert.is_false(pcall(group.give, group, view))
            assert.equal(1, group:available())
        end)

        it("has a view back that is given or collected", function()
            local group = luring.buf_ring(ring, 1, 10, FLAGS)
            group:manual(true)
            for i = 1, 20 do
                send("0123456789")
                local _, view = drive.one(ring, "recv", other, group, 0)
                assert.equal("0123456789", view:sub())
                assert.equal(0, group:available())
                local part = view:view(2, 3)
                view = nil
                drive.collect()
                assert.equal("12", part:sub())
                if i % 2 == 0 then group:give(part) end
                part = nil
                drive.collect()
                assert.equal(1, group:available())
            end
        end)

        it("says -ENOBUFS while all its buffers are out, and loses nothing", function()
            local group = luring.buf_ring(ring, 2, 10, FLAGS)
            group:manual(true)
            local views = {}
            for i = 1, 2 do
                send(("%10d"):format(i))
                views[i] = select(2, drive.one(ring, "recv", other, group, 0))
            end
            send("0123456789")
            for _ = 1, 3 do
                assert.same({ -luring.ENOBUFS }, { drive.one(ring, "recv", other, group, 0), nil })
            end
            group:give(views[2])
            assert.equal(1, group:available())
            views[2] = select(2, drive.one(ring, "recv", other, group, 0))
            assert.equal("0123456789", views[2]:sub())
            assert.equal(("%10d"):format(1), views[1]:sub())
        end)

        it("never sends a view that goes back while its action is queued", function()
            local group = luring.buf_ring(ring, 2, 16, FLAGS)
            group:manual(true)
            local udp = luring.socket_fd(luring.AF_INET, luring.SOCK_DGRAM)
            send("0123456789abcdef")
            local _, view = drive.one(ring, "recv", other, group, 0)
            local address = { family = luring.AF_INET, addr = "127.0.0.1", port = 9 }
            local gives = setmetatable({}, { __index = function(_, field)
                pcall(group.give, group, view)
                return address[field]
            end })
            assert.error_matches(function() luring.sendto(ring, udp, view, 0, gives) end, "the view has gone back")
            assert.equal(0, luring.in_flight(ring))
            assert.equal(2, group:available())
            drive.close(udp)
        end)

        it("has views that outlive it and its ring", function()
            local views = {}
            local group = luring.buf_ring(ring, 8, 99, FLAGS)
            group:manual(true)
            for i = 1, 4 do
                send(("%99d"):format(i))
                views[i] = select(2, drive.one(ring, "recv", other, group, 0))
            end
            group:close()
            group = nil
            drive.collect()
            assert.equal(("%99d"):format(1), views[1]:sub())
            local second = luring.queue_init(8, 0)
            luring.send(second, one, views[2], 0)
            luring.queue_exit(ring)
            ring = luring.queue_init(8, 0)
            for _ = 1, 20 do luring.buf_ring(ring, 8, 100, FLAGS) end
            views[2] = nil
            drive.collect()
            drive.turn(second)
            assert.same({ 99, ("%99d"):format(2) }, { drive.one(second, "recv", other, 200, 0) })
            assert.equal(99, (drive.one(second, "send", one, views[3], 0)))
            assert.is_false(pcall(views[3].sub, views[3]))
            assert.equal(("%99d"):format(4), views[4]:sub())
            views = nil
            drive.collect()
            luring.queue_exit(second)
        end)

        it("and its ring and its views go in any order, at the end of a state too", function()
            local begin = [[
                local luring = require "luring"
                local function stop() error(0, 0) end
                local function turn(ring)
                    luring.submit_and_wait(ring, 1)
                    luring.do_cqes(ring)
                end
                local function run(ring, group, one, other, view)
                    for i = 1, 3 do luring.recv(ring, other, group, 0, stop) end
                    luring.send(ring, one, "more", 0)
                    if view then luring.send(ring, one, view, 0) end
                    luring.submit(ring)
                    luring.recv(ring, other, group, 0, stop)
                    %s
                    collectgarbage() collectgarbage()
                end
                local one, other = luring.socketpair()
                local ring = luring.queue_init(8, 0)
                local group = luring.buf_ring(ring, 4, 5000, %d)
                local got
                group:manual(%s)
                luring.send(ring, one, ("x"):rep(5000), 0)
                luring.recv(ring, other, group, 0, function(cqe, _, value) luring.cqe_seen(ring, cqe) got = value end)
                while not got do turn(ring) end
                run(ring, group, one, other, type(got) ~= "string" and got)
            ]]
            for _, manual in ipairs { "true", "false" } do
                for _, ending in ipairs { "", "ring = nil", "group = nil", "view = nil", "ring = nil group = nil",
                    "luring.queue_exit(ring)", "error(0, 0)", "luring.queue_exit(ring) ring = nil view = nil",
                    "pcall(luring.do_cqes, ring) ring = nil", "view = nil pcall(luring.do_cqes, ring)" } do
                    local free = drive.idle_pipe()
                    drive.close(free, free + 1)
                    local result = host.state(begin:format(ending, FLAGS, manual))
                    assert.equal(ending:find("error(0", 1, true) and "0" or nil, result)
                    for fd = free, free + 10 do drive.close(fd) end
                end
            end
        end)

        it("keeps streams apart and whole", function()
            local seed = os.time()
            math.randomseed(seed)
            -- A function of its own, so that no place of the stack has a view afterwards.
            local function exchange(manual)
                local group = luring.buf_ring(ring, 8, 100, FLAGS)
                group:manual(manual)
                local streams, left = {}, 0
                local function receive(stream)
                    assert(luring.recv(ring, stream.to, group, 0, function(cqe, res, value)
                        luring.cqe_seen(ring, cqe)
                        assert(res > 0 or res == -luring.ENOBUFS, res)
                        if res > 0 then
                            if manual and math.random(3) > 1 then
                                stream.views[#stream.views + 1] = value
                                stream.got = stream.got .. value:sub()
                            else
                                stream.got = stream.got .. (manual and value:sub() or value)
                            end
                        end
                        -- Views are kept for some time, checked, and let go of in any way.
                        if res < 0 or math.random(4) == 1 then
                            for _, each in ipairs(streams) do
                                for _, view in ipairs(each.views) do
                                    assert(each.got:find(view:sub(), 1, true), "a view has changed")
                                    if math.random(2) == 1 then group:give(view) end
                                end
                                each.views = {}
                            end
                            collectgarbage()
                        end
                        if #stream.got < #stream.text then receive(stream) else left = left - 1 end
                    end))
                end
                for i = 1, 5 do
                    local stream = { got = "", views = {}, text = "" }
                    stream.from, stream.to = luring.socketpair()
                    local parts = {}
                    for k = 1, 300 do parts[k] = ("%d:%d,"):format(i, k) end
                    stream.text = table.concat(parts)
                    streams[i], left = stream, left + 1
                    local sent = 0
                    local function push()
                        if sent == #stream.text then return end
                        local part = stream.text:sub(sent + 1, sent + math.random(200))
                        sent = sent + #part
                        assert(luring.send(ring, stream.from, part, luring.MSG_WAITALL, function(cqe, res)
                            luring.cqe_seen(ring, cqe)
                            assert(res == #part)
                            push()
                        end))
                    end
                    push()
                    receive(stream)
                end
                while left > 0 do drive.turn(ring) end
                for _, stream in ipairs(streams) do
                    assert.is_true(stream.got == stream.text, seed)
                    drive.close(stream.from, stream.to)
                end
                return group
            end
            for _, manual in ipairs { false, true } do
                local group = exchange(manual)
                drive.collect()
                assert.is_true(group:available() >= 7, seed)
            end
        end)

        it("brings what comes in parts to a recv with MSG_WAITALL, once", function()
            local group = luring.buf_ring(ring, 4, 16, FLAGS)
            local sent, got, is_waiting = "", "", false
            local function receive()
                if is_waiting then return end
                is_waiting = true
                luring.recv(ring, other, group, luring.MSG_WAITALL, function(cqe, res, value)
                    is_waiting = false
                    got = got .. value
                    assert.equal(res, #value)
                    luring.cqe_seen(ring, cqe)
                end)
                luring.submit(ring)
            end
            for round = 1, 8 do
                for _, part in ipairs { "%04d;", "%010d;" } do
                    receive()
                    local text = part:format(round)
                    send(text)
                    sent = sent .. text
                end
                while #got < #sent do
                    receive()
                    drive.turn(ring)
                end
            end
            assert.equal(sent, got)
            assert.equal(4, group:available())
        end)

        it("may be used by finalizers that run in do_cqes", function()
            local acts = {
                function() luring.queue_exit(ring) end,
                function(group) group:close() end,
                function(_, cqe) luring.cqe_seen(ring, cqe) end,
                function(group, cqe) luring.cqe_seen(ring, cqe) group:close() luring.queue_exit(ring) end,
                function(_, cqe, view) luring.cqe_seen(ring, cqe) view:sub() end,
                function(group, _, view) group:give(view) end,
                function() luring.do_cqes(ring) end,
            }
            pcall(collectgarbage, "setpause", 0)
            pcall(collectgarbage, "setstepmul", 10000)
            for _, act in ipairs(acts) do
                for _, manual in ipairs { false, true } do
                    for _ = 1, 10 do
                        local ok, group
                        repeat -- finalizers from before may end this ring too
                            luring.queue_exit(ring)
                            ring = luring.queue_init(16, 0)
                            ok, group = pcall(luring.buf_ring, ring, 4, 5000, FLAGS)
                            ok = ok and pcall(group.manual, group, manual)
                        until ok
                        local last, value, calls = nil, nil, 0
                        local function garbage()
                            for _ = 1, 5 do drive.finalizer(function() pcall(act, group, last, value) end) end
                        end
                        for _ = 1, 8 do
                            pcall(luring.send, ring, one, ("x"):rep(5000), luring.MSG_DONTWAIT)
                            pcall(luring.recv, ring, other, group, luring.MSG_DONTWAIT, function(cqe, res, got)
                                last, value, calls = cqe, got, calls + 1
                                if type(got) == "string" then assert(got == ("x"):rep(math.max(res, 0))) end
                                garbage()
                                if calls % 2 == 0 then pcall(luring.cqe_seen, ring, cqe) end
                            end)
                        end
                        garbage()
                        pcall(luring.submit, ring)
                        for _ = 1, 20 do pcall(luring.do_cqes, ring) end
                    end
                end
            end
            pcall(collectgarbage, "setpause", 200)
            pcall(collectgarbage, "setstepmul", 200)
            drive.collect()
        end)
    end)
end

for _, kind in ipairs(kinds) do
    for _, action in ipairs { "recv_multishot", "read_multishot" } do
        local name, FLAGS = kind[1], kind[2]
        local why = lacks(FLAGS, action)
        describe(action .. " with " .. name, function()
            if why then
                it("is there", function() pending(why) end)
                return
            end

            local ring, one, other, got, ended
            local last = action == "recv_multishot" and 0 or -1
            before_each(function()
                ring = luring.queue_init(64, 0)
                one, other = luring.socketpair()
                got, ended = {}, nil
            end)
            after_each(function()
                luring.queue_exit(ring)
                drive.close(one, other)
            end)

            local function arm(group)
                ended = nil
                assert(luring[action](ring, other, group, last, function(cqe, res, value, flags)
                    luring.cqe_seen(ring, cqe)
                    assert.is_nil(ended)
                    if res > 0 then got[#got + 1] = type(value) == "string" and value or value:sub() end
                    if not has(flags, MORE) then ended = res end
                end))
                luring.submit(ring)
            end

            it("brings one after the other until the peer's end", function()
                local group = luring.buf_ring(ring, 4, 96, FLAGS)
                arm(group)
                for i = 1, 50 do
                    luring.send(ring, one, ("message%9d"):format(i), 0)
                    drive.turn(ring, 2)
                    assert.equal(("message%9d"):format(i), got[i])
                    if FLAGS == 0 then assert.equal(4, group:available()) end
                    assert.is_nil(ended)
                end
                assert.has_error(function() group:close() end, "an action in flight uses the group")
                drive.close(one)
                drive.turn(ring)
                assert.equal(0, ended)
                assert.equal(50, #got)
                assert.equal(FLAGS == 0 and 4 or group:available(), group:available())
                assert.equal(0, group:close())
                one = luring.pipe2()
            end)

            it("ends with -ENOBUFS when no buffer is left, and goes on when armed again", function()
                local group = luring.buf_ring(ring, 2, 10, FLAGS)
                group:manual(true)
                local views = {}
                local function again()
                    assert(luring[action](ring, other, group, last, function(cqe, res, view, flags)
                        luring.cqe_seen(ring, cqe)
                        if res > 0 then views[#views + 1] = view end
                        if not has(flags, MORE) then ended = res end
                    end))
                end
                again()
                luring.send(ring, one, "0123456789abcdefghijABCDEFGHIJ", 0)
                while not ended do drive.turn(ring) end
                assert.equal(-luring.ENOBUFS, ended)
                assert.equal(2, #views)
                assert.equal("0123456789abcdefghij", views[1]:sub() .. views[2]:sub())
                group:give(views[1])
                again()
                while #views < 3 do drive.turn(ring) end
                assert.equal("abcdefghijABCDEFGHIJ", views[2]:sub() .. views[3]:sub())
            end)

            it("ends with its ring, whatever has arrived", function()
                for _, manual in ipairs { false, true } do
                    for arrived = 0, 3 do
                        for delivered = 0, arrived do
                            local own = luring.queue_init(16, 0)
                            local group = luring.buf_ring(own, 4, 10, FLAGS)
                            group:manual(manual)
                            local a, b = luring.socketpair()
                            local count, view = 0, nil
                            luring[action](own, b, group, last, function(cqe, _, value)
                                count, view = count + 1, value
                                if count < delivered then luring.cqe_seen(own, cqe) else error(0, 0) end
                            end)
                            luring.submit(own)
                            for _ = 1, arrived do drive.one(ring, "send", a, "0123456789", 0) end
                            if delivered > 0 then pcall(luring.do_cqes, own) end
                            luring.queue_exit(own)
                            assert.equal(delivered, count)
                            if view then assert.equal("0123456789", manual and view:sub() or view) end
                            assert.equal(0, group:close())
                            drive.close(a, b)
                        end
                    end
                end
            end)

            it("is collected with its ring", function()
                for _ = 1, 20 do
                    local own = luring.queue_init(16, 0)
                    luring[action](own, other, luring.buf_ring(own, 16, 4096, FLAGS), last, function() return own end)
                    luring.submit(own)
                    own = nil
                    drive.collect()
                end
                local group = luring.buf_ring(ring, 4, 100, FLAGS)
                arm(group)
                luring.send(ring, one, "mine", 0)
                drive.turn(ring, 2)
                assert.same({ "mine" }, got)
            end)

            it("has the same value when a completion is delivered again", function()
                local group = luring.buf_ring(ring, 4, 10, FLAGS)
                for _, manual in ipairs { true, false } do
                    group:manual(manual)
                    local values, turn = {}, 0
                    local a, b = luring.socketpair()
                    luring[action](ring, b, group, last, function(cqe, res, value)
                        turn = turn + 1
                        if res > 0 then values[#values + 1] = value end
                        if turn % 2 == 0 then luring.cqe_seen(ring, cqe) end
                    end)
                    for _, text in ipairs { "0123456789", "abcdefghij" } do
                        luring.send(ring, a, text, 0)
                        drive.turn(ring, 2)
                    end
                    assert.equal(4, #values)
                    assert.is_true(rawequal(values[1], values[2]) and rawequal(values[3], values[4]))
                    assert.equal("0123456789", manual and values[1]:sub() or values[1])
                    assert.equal("abcdefghij", manual and values[3]:sub() or values[3])
                    drive.close(a)
                    drive.turn(ring)
                    drive.close(b)
                end
            end)
        end)
    end
end
