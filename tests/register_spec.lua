-- What a ring is given for good, what it can be asked, and how it is set up.

local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"

local fixed = luring.fixed
local DEFER = 2 ^ 12 + 2 ^ 13 -- IORING_SETUP_SINGLE_ISSUER + IORING_SETUP_DEFER_TASKRUN

-- A spec that is skipped, and says why, where this build or the kernel has not what it needs.
local function with(needed, name, body)
    it(name, function()
        if not luring.can(needed) then return pending("no " .. needed .. " here") end
        body()
    end)
end

-- For a chunk of a process of its own: a field of the status of its threads of a kind, a line each. It waits a while
-- for so many (1): a thread has its name a little later.
local threads = [[
    local luring = require "luring"
    local function threads(kind, field, wanted)
        local pid = assert(io.open("/proc/self/stat")):read("*l"):match("^%d+")
        local all
        for _ = 1, 500 do
            local pipe = io.popen(("cd /proc/%s/task && for t in *; do grep -q %s $t/comm "
                .. "&& sed -n 's/^%s:.//p' $t/status; done"):format(pid, kind, field))
            all = pipe:read("*a")
            pipe:close()
            if select(2, all:gsub("\n", "")) >= (wanted or 1) then break end
            os.execute "sleep 0.01"
        end
        return all
    end
]]

local function raises(expected, f, ...)
    local ok, message = pcall(f, ...)
    assert.is_false(ok)
    assert.equal("string", type(message))
    assert.truthy(message:find(expected, 1, true), message)
end

describe("register_files", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(8, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("makes a table of a list, or of empty slots, one a ring", function()
        assert.equal(0, ring:register_files { -1, to })
        assert.equal(-luring.EBUSY, ring:register_files(2))
        assert.equal(1, (drive.one(ring, "write", fixed(1), "x", -1)))
        assert.equal(0, ring:unregister_files())
        assert.equal(-luring.EBADF, (drive.one(ring, "write", fixed(1), "x", -1)))
        assert.equal(-luring.ENXIO, ring:unregister_files())
        assert.equal(0, ring:register_files(2))
        assert.equal(-luring.EBADF, (drive.one(ring, "write", fixed(1), "x", -1)))
    end)

    it("refuses what is no descriptor, and no slots at all", function()
        assert.equal(-luring.EBADF, ring:register_files { 2 ^ 30 - 1 })
        assert.equal(-luring.EINVAL, ring:register_files {})
        assert.equal(-luring.EINVAL, ring:register_files(0))
        assert.equal(-luring.EMFILE, ring:register_files(2 ^ 20))
        raises("bad argument #2", ring.register_files, ring, 2 ^ 20 + 1)
        raises("bad argument #2", ring.register_files, ring, -1)
        raises("element 2: descriptor expected", ring.register_files, ring, { from, "x" })
        raises("element 1: its 'fd' gives no descriptor", ring.register_files, ring, { { fd = -1 } })
        raises("number expected, got string", ring.register_files, ring, "x")
        assert.equal(-luring.ENXIO, ring:unregister_files())
    end)

    it("takes objects, and holds the file itself", function()
        local path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        assert.equal(0, ring:register_files { file })
        file:close()
        assert.equal(4, (drive.one(ring, "write", fixed(0), "kept", 0)))
        assert.equal("kept", drive.contents(path))
        os.remove(path)
    end)

    it("gives the file back when the table goes, and when the ring ends", function()
        for _, finish in ipairs { "unregister_files", "queue_exit" } do
            local other = luring.queue_init(4, 0)
            local from2, to2 = drive.idle_pipe()
            assert.equal(0, other:register_files { to2 })
            drive.close(to2)
            local ended
            ring:read(from2, 1, -1, function(cqe, res)
                ended = res
                ring:cqe_seen(cqe)
            end)
            ring:submit()
            ring:do_cqes()
            assert.is_nil(ended)
            other[finish](other)
            while not ended do drive.turn(ring) end
            assert.equal(0, ended) -- nobody has the writing end any more
            drive.close(from2)
            luring.queue_exit(other)
        end
    end)

    it("is updated from an offset on, and tells how many were done", function()
        ring:register_files(4)
        assert.equal(3, ring:register_files_update(1, { to, { fd = to }, to }))
        assert.equal(2, ring:register_files_update(1, { -2, -1 })) -- leaves one, and empties one
        assert.equal(1, (drive.one(ring, "write", fixed(1), "x", -1)))
        assert.equal(-luring.EBADF, (drive.one(ring, "write", fixed(2), "x", -1)))
        assert.equal(1, (drive.one(ring, "write", fixed(3), "x", -1)))
        assert.equal(1, ring:register_files_update(0, { to, 2 ^ 30 - 1 })) -- the second is none
        assert.equal(-luring.EINVAL, ring:register_files_update(4, { to }))
        assert.equal(-luring.EINVAL, ring:register_files_update(0, {}))
        assert.equal(-luring.ENXIO, luring.queue_init(1, 0):register_files_update(0, { to }))
        raises("table expected, got number", ring.register_files_update, ring, 0, 1)
    end)

    it("may be asked to exit the ring meanwhile", function()
        local other = luring.queue_init(4, 0)
        raises("the ring has been exited", other.register_files, other, { { fd = function()
            other:queue_exit()
            return to
        end } })
    end)

    with("register_file_alloc_range", "register_file_alloc_range bounds the slots that are chosen", function()
        ring:register_files(8)
        assert.equal(0, ring:register_file_alloc_range(5, 2))
        local chosen = {}
        for i = 1, 2 do
            chosen[i] = select(2, drive.one(ring, "open_direct", "/dev/null", 0, 0, 2 ^ 32 - 1))
        end
        table.sort(chosen)
        assert.same({ fixed(5), fixed(6) }, chosen)
        assert.equal(-luring.ENFILE, (drive.one(ring, "open_direct", "/dev/null", 0, 0, 2 ^ 32 - 1)))
        assert.equal(-luring.EINVAL, ring:register_file_alloc_range(7, 2))
        assert.equal(-luring.EOVERFLOW, ring:register_file_alloc_range(2 ^ 32 - 1, 2))
    end)
end)

describe("register_eventfd", function()
    -- A ring that watches an eventfd with read tells how often it was signalled.
    local ring, watcher, fd
    before_each(function()
        ring, watcher = luring.queue_init(8, 0), luring.queue_init(8, 0)
        fd = luring.eventfd(0, 0)
    end)
    after_each(function()
        luring.queue_exit(ring)
        luring.queue_exit(watcher)
        drive.close(fd)
    end)

    local function signalled()
        drive.one(watcher, "write", fd, "\1\0\0\0\0\0\0\0", -1) -- so that it can be read in any case
        local _, data = drive.one(watcher, "read", fd, 8, -1)
        local sum = -1
        for i = 1, 8 do sum = sum + data:byte(i) end
        return sum
    end

    local function nops(n)
        for _ = 1, n do ring:nop() end
        drive.turn(ring, n)
    end

    it("signals completions, until it is unregistered", function()
        assert.equal(0, ring:register_eventfd(fd))
        assert.equal(0, signalled())
        nops(2)
        assert.is_true(signalled() > 0)
        assert.equal(-luring.EBUSY, ring:register_eventfd(fd))
        assert.equal(0, ring:unregister_eventfd())
        assert.equal(-luring.ENXIO, ring:unregister_eventfd())
        nops(1)
        assert.equal(0, signalled())
    end)

    it("takes objects, and needs the descriptor no longer", function()
        assert.equal(0, ring:register_eventfd { fd = fd })
        nops(1)
        assert.is_true(signalled() > 0)
        assert.equal(-luring.EBADF, (luring.queue_init(1, 0):register_eventfd(2 ^ 30 - 1)))
        assert.equal(-luring.EINVAL, (luring.queue_init(1, 0):register_eventfd(0)))
    end)

    it("that is asynchronous signals only what could not be done at once", function()
        assert.equal(0, ring:register_eventfd_async(fd))
        nops(2)
        assert.equal(0, signalled())
        local null = luring.open_file("/dev/null", "r")
        ring:fsync(null, 0) -- which is always a worker's
        drive.turn(ring)
        assert.is_true(signalled() > 0)
        drive.close(null)
    end)
end)

describe("the kernel's workers:", function()
    local ring
    before_each(function() ring = luring.queue_init(8, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    with("register_iowq_max_workers", "their limits are set, and those before are told", function()
        local bounded, unbounded = ring:register_iowq_max_workers(0, 0)
        assert.is_true(bounded > 0 and unbounded > 0)
        assert.same({ bounded, unbounded }, { ring:register_iowq_max_workers(1, 2) })
        assert.same({ 1, 2 }, { ring:register_iowq_max_workers(0, 3) })
        assert.same({ 1, 3 }, { ring:register_iowq_max_workers(0, 0) })
        raises("bad argument #3", ring.register_iowq_max_workers, ring, 1)
    end)

    with("register_iowq_aff", "they run where a list says", function()
        -- Of a process of its own, which has no worker yet: an fsync is always a worker's.
        local result = child.run(threads .. [[
            local ring = luring.queue_init(8, 0)
            local last = io.open("/proc/self/status"):read("*a"):match("Cpus_allowed_list:[^\n]-(%d+)\n")
            assert(ring:register_iowq_aff { tonumber(last) } == 0)
            ring:fsync(luring.open_file("/dev/null", "r"), 0)
            ring:submit_and_wait(1)
            assert(threads("iou-wrk", "Cpus_allowed_list") == last .. "\n")
            assert(ring:unregister_iowq_aff() == 0)
        ]])
        assert.same({ status = 0, output = "" }, result)
        for _, wrong in ipairs { -1, 1024, "x", 0.5 } do
            raises("element 2 must be an integer from 0 to 1023", ring.register_iowq_aff, ring, { 0, wrong })
        end
        raises("table expected, got number", ring.register_iowq_aff, ring, 0)
    end)
end)

describe("other registrations:", function()
    local ring
    before_each(function() ring = luring.queue_init(8, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    it("a personality has a number until it is unregistered", function()
        local one, two = ring:register_personality(), ring:register_personality()
        assert.is_true(one > 0 and two > 0 and one ~= two)
        assert.equal(0, ring:unregister_personality(one))
        assert.equal(-luring.EINVAL, ring:unregister_personality(one))
        assert.equal(0, ring:unregister_personality(two))
        raises("must be between 0 and 65535", ring.unregister_personality, ring, 65536)
    end)

    with("register_napi", "napi is switched on and off", function()
        for _, prefer in ipairs { "true", "false" } do
            assert.equal(0, ring:register_napi { busy_poll_to = 50, prefer_busy_poll = prefer == "true" })
            -- Kernels that can be asked say it so.
            local info = child.contents("/proc/self/fdinfo/" .. ring:ring_fd())
            assert.equal(prefer, info:match("napi_prefer_busy_poll:%s*(%a+)") or prefer)
        end
        assert.equal(0, ring:unregister_napi())
        raises("field 'busy_poll_to' must be an integer", ring.register_napi, ring, {})
        raises("table expected", ring.register_napi, ring, 1)
    end)

    with("register_clock", "the clock of waiting is one of two", function()
        assert.equal(0, ring:register_clock(luring.CLOCK_BOOTTIME or 7))
        assert.equal(0, ring:register_clock(luring.CLOCK_MONOTONIC or 1))
        assert.equal(-luring.EINVAL, ring:register_clock(luring.CLOCK_REALTIME or 0))
    end)
end)

describe("a ring tells", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(4, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("how much is queued, in flight and done", function()
        local function state() return { ring:sq_ready(), ring:sq_space_left(), ring:in_flight(), ring:cq_ready() } end
        assert.same({ 0, 4, 0, 0 }, state())
        ring:read(from, 1, -1)
        ring:nop()
        assert.same({ 2, 2, 2, 0 }, state())
        ring:submit_and_wait(1)
        assert.same({ 0, 4, 2, 1 }, state())
        ring:do_cqes()
        assert.same({ 0, 4, 1, 0 }, state())
        luring.write(ring, to, "x", -1)
        drive.turn(ring, 2)
        assert.same({ 0, 4, 0, 0 }, state())
    end)

    it("its descriptor, which is readable when there are completions", function()
        local other = luring.queue_init(4, 0)
        local fd = ring:ring_fd()
        assert.is_true(fd >= 0)
        local polled
        other:poll_add(fd, luring.POLLIN, function(cqe, res)
            polled = res
            other:cqe_seen(cqe)
        end)
        other:submit()
        other:do_cqes()
        assert.is_nil(polled)
        ring:nop()
        ring:submit()
        while not polled do drive.turn(other) end
        assert.equal(1, polled % 2)
        luring.queue_exit(other)
    end)

    it("whether completions had no room", function()
        assert.is_false(ring:cq_has_overflow())
        local seen = 0
        for _ = 1, 5 do
            for _ = 1, 4 do
                ring:nop(function(cqe)
                    seen = seen + 1
                    ring:cqe_seen(cqe)
                end)
            end
            ring:submit()
        end
        assert.is_true(ring:cq_has_overflow())
        assert.equal(8, ring:cq_ready())
        ring:do_cqes()
        assert.is_false(ring:cq_has_overflow())
        assert.equal(20, seen)
    end)

    it("nothing once it has been exited", function()
        ring:queue_exit()
        for _, name in ipairs { "ring_fd", "in_flight", "sq_ready", "cq_ready", "features", "unregister_files" } do
            raises("the ring has been exited", luring[name], ring)
        end
        raises("the ring has been exited", luring.probe, ring)
    end)
end)

describe("queue_init_params", function()
    it("makes a ring with as much room as it says", function()
        local ring = luring.queue_init_params(2, { cq_entries = 64 })
        for _ = 1, 32 do
            ring:nop()
            ring:nop()
            ring:submit()
        end
        assert.equal(64, ring:cq_ready())
        assert.is_false(ring:cq_has_overflow())
        luring.queue_exit(ring)
        ring = luring.queue_init_params(2, {})
        assert.equal(2, ring:sq_space_left())
        luring.queue_exit(ring)
    end)

    it("passes flags, and what goes with them", function()
        local ring = luring.queue_init_params(4, { flags = luring.IORING_SETUP_SQPOLL, sq_thread_idle = 10 })
        assert.equal("number", type((drive.one(ring, "nop"))))
        luring.queue_exit(ring)
    end)

    it("lets a ring share the thread of another", function()
        local result = child.run(threads .. [[
            local SQPOLL = luring.IORING_SETUP_SQPOLL
            local function count(wanted) return select(2, threads("iou-sqp", "Pid", wanted):gsub("\n", "")) end
            local one = luring.queue_init(4, SQPOLL)
            io.write(count(1))
            local two = luring.queue_init_params(4, { flags = SQPOLL, wq_fd = one:ring_fd() })
            local three = luring.queue_init_params(4, { flags = SQPOLL })
            io.write(count(2))
            os.execute "sleep 0.1"
            io.write(count(2)) -- and no third
            three:queue_exit() two:queue_exit() one:queue_exit()
        ]])
        assert.same({ status = 0, output = "122" }, result)
    end)

    it("binds the kernel's thread to a processor", function()
        local result = child.run(threads .. [[
            luring.queue_init_params(4, { flags = luring.IORING_SETUP_SQPOLL, sq_thread_cpu = 0 })
            io.write(threads("iou-sqp", "Cpus_allowed_list"))
        ]])
        assert.same({ status = 0, output = "0\n" }, result)
        raises("could not initialise queue: Invalid argument", luring.queue_init_params, 4, { sq_thread_cpu = 0 })
    end)

    it("raises what queue_init raises", function()
        raises("could not initialise queue: Invalid argument", luring.queue_init_params, 0, {})
        for _, room in ipairs { 1, 4, 65537 } do
            raises("Invalid argument (cq_entries must be between entries, 5, and 65536)",
                luring.queue_init_params, 5, { cq_entries = room })
        end
        raises("flags 0x80000000 are not known", luring.queue_init_params, 4, { flags = 2 ^ 31 })
        raises("flags 0x40 are not known", luring.queue_init_params, 4, { flags = 64 }) -- R_DISABLED
        raises("could not initialise queue", luring.queue_init_params, 4, { wq_fd = 2 ^ 30 })
    end)

    it("raises for fields that it does not know, and values out of range", function()
        raises("unknown field 'cqentries'", luring.queue_init_params, 4, { cqentries = 8 })
        raises("unknown field [1]", luring.queue_init_params, 8, { 1 })
        raises("field 'cq_entries' must be an integer from 1 to 4294967295", luring.queue_init_params, 4,
            { cq_entries = 0 })
        raises("field 'flags' must be an integer", luring.queue_init_params, 4, { flags = "x" })
        raises("bad argument #2 to", luring.queue_init_params, 4)
        raises("table expected, got number", luring.queue_init_params, 4, 0)
        raises("bad argument #1 to", luring.queue_init_params, {}, {})
    end)
end)

describe("resize_rings", function()
    local ring

    local function resizes(name, body)
        with("resize_rings", name, function()
            -- The kernel doesn't say where the new queues are, and for some machines that isn't known here.
            if ring:resize_rings(4) == -luring.EOPNOTSUPP then return pending("not on this machine") end
            body()
        end)
    end

    before_each(function()
        local ok, made = pcall(luring.queue_init, 4, DEFER)
        ring = ok and made or nil
    end)
    after_each(function()
        if ring then luring.queue_exit(ring) end
    end)

    resizes("makes room, and what is queued and there moves along", function()
        local got = {}
        local function nop(i)
            return ring:nop(function(cqe)
                got[#got + 1] = i
                ring:cqe_seen(cqe)
            end)
        end
        for i = 1, 3 do assert(nop(i)) end
        ring:submit_and_wait(3) -- three are there
        for i = 4, 7 do assert(nop(i)) end
        assert.is_nil(nop(8)) -- four are queued, and it is full
        assert.equal(0, ring:resize_rings(16))
        assert.same({ 4, 12, 3 }, { ring:sq_ready(), ring:sq_space_left(), ring:cq_ready() })
        for i = 8, 19 do assert(nop(i), i) end
        assert.is_nil(nop(20))
        assert.equal(16, ring:submit())
        drive.turn(ring, 19)
        assert.equal(19, #got)
        for i = 1, 19 do assert.equal(i, got[i]) end
        assert.equal(0, ring:in_flight())
    end)

    resizes("does so again and again, and with reads in flight", function()
        local from, to = drive.idle_pipe()
        local got
        ring:read(from, 10, -1, function(cqe, _, data)
            got = data
            ring:cqe_seen(cqe)
        end)
        ring:submit()
        for _ = 1, 20 do
            for _, size in ipairs { 64, 2, 8, 4 } do
                ring:nop()
                assert.equal(0, ring:resize_rings(size))
                assert.equal(0, (drive.one(ring, "nop")))
            end
        end
        luring.write(ring, to, "there", -1)
        drive.turn(ring, 2)
        assert.equal("there", got)
        drive.close(from, to)
    end)

    resizes("may be called within a callback", function()
        local got = {}
        for i = 1, 3 do
            ring:nop(function(cqe)
                got[#got + 1] = i
                if i < 3 then assert.equal(0, ring:resize_rings(i == 1 and 64 or 8)) end
                ring:cqe_seen(cqe)
            end)
        end
        ring:submit_and_wait(3)
        ring:do_cqes()
        assert.same({ 1, 2, 3 }, got)
        assert.equal(0, (drive.one(ring, "nop")))
        assert.equal(0, ring:in_flight())
    end)

    resizes("takes the number of completions too", function()
        assert.equal(0, ring:resize_rings(4, 128))
        for _ = 1, 32 do
            for _ = 1, 4 do ring:nop() end
            ring:submit()
        end
        ring:submit_and_wait(128)
        assert.equal(128, ring:cq_ready())
    end)

    resizes("refuses what has no room for what is there, and changes nothing", function()
        for _ = 1, 4 do ring:nop() end
        assert.equal(-luring.EOVERFLOW, ring:resize_rings(2))
        assert.equal(-luring.EINVAL, ring:resize_rings(0))
        assert.equal(4, ring:sq_ready())
        assert.equal(4, ring:submit_and_wait(4))
        assert.equal(4, ring:cq_ready())
        ring:do_cqes()
        assert.equal(0, ring:in_flight())
    end)

    resizes("changes nothing where there are no addresses left for it", function()
        local completed = 0
        local function nop()
            ring:nop(function(cqe)
                completed = completed + 1
                ring:cqe_seen(cqe)
            end)
        end
        nop()
        ring:submit()
        nop()
        host.no_addresses(true)
        local res = ring:resize_rings(1024)
        host.no_addresses(false)
        assert.equal(-luring.ENOMEM, res)
        nop()
        drive.turn(ring, 3)
        assert.equal(3, completed)
        assert.equal(0, ring:in_flight())
    end)

    resizes("within a callback leaves its completion where it was", function()
        local calls = {}
        for i = 1, 3 do
            ring:nop(function(cqe)
                calls[#calls + 1] = i
                assert.equal(0, ring:resize_rings(i % 2 == 1 and 32 or 4))
                ring:cqe_seen(cqe)
                assert.is_false((pcall(ring.cqe_seen, ring, cqe)))
            end)
        end
        drive.turn(ring, 3)
        assert.same({ 1, 2, 3 }, calls)
        assert.equal(0, ring:in_flight())
    end)

    resizes("is -EINVAL for a ring that can't be resized, and submits nothing", function()
        local other = luring.queue_init(4, luring.IORING_SETUP_SQPOLL)
        other:nop()
        assert.equal(-luring.EINVAL, other:resize_rings(8))
        assert.equal(1, other:sq_ready())
        luring.queue_exit(other)
        other = luring.queue_init(4, 0)
        other:nop()
        assert.equal(-luring.EINVAL, other:resize_rings(8))
        assert.equal(1, other:submit_and_wait(1))
        luring.queue_exit(other)
    end)

    resizes("leaves a process without leaks", function()
        local result = child.run([[
            local luring = require "luring"
            local ring = luring.queue_init(4, 2 ^ 12 + 2 ^ 13)
            local function maps()
                local n = 0
                for line in io.lines "/proc/self/maps" do if line:find "io_uring" then n = n + 1 end end
                return n
            end
            local before = maps()
            for i = 1, 50 do assert(ring:resize_rings(i % 2 == 0 and 4 or 64) == 0) end
            assert(maps() == before, maps() .. " " .. before)
            ring:queue_exit()
            io.write(maps())
        ]])
        assert.same({ status = 0, output = "0" }, result)
    end)
end)

describe("register_buffers", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(8, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("makes a table of buffers and views that actions use", function()
        local one, two = luring.buffer(4096), luring.buffer(8192)
        assert.equal(0, ring:register_buffers { one, false, two:view(1, 4096) })
        assert.equal(-luring.EBUSY, ring:register_buffers { one })
        one:set(1, "hello")
        assert.equal(5, (drive.one(ring, "write_fixed", to, one:view(1, 5), -1, 0)))
        local res, value = drive.one(ring, "read_fixed", from, two:view(1, 100), -1, 2)
        assert.equal(5, res)
        assert.equal("hello", value:sub(1, 5))
        assert.equal("hello", two:sub(1, 5))
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, two:view(5000, 5001), -1, 2)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, one:view(1, 5), -1, 1)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, one:view(1, 5), -1, 7)))
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, "string", -1, 0)))
        assert.equal(0, ring:unregister_buffers())
        assert.equal(-luring.ENXIO, ring:unregister_buffers())
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, one:view(1, 5), -1, 0)))
    end)

    it("makes empty slots, which are updated", function()
        local one, two = luring.buffer(4096), luring.buffer(4096)
        assert.equal(0, ring:register_buffers(3))
        assert.equal(2, ring:register_buffers_update(1, { one, two }))
        two:set(1, "x")
        assert.equal(1, (drive.one(ring, "write_fixed", to, two:view(1, 1), -1, 2)))
        assert.equal(1, ring:register_buffers_update(2, { false }))
        assert.equal(-luring.EFAULT, (drive.one(ring, "write_fixed", to, two:view(1, 1), -1, 2)))
        assert.equal(-luring.EINVAL, ring:register_buffers_update(3, { one }))
        assert.equal(-luring.ENXIO, luring.queue_init(1, 0):register_buffers_update(0, { one }))
    end)

    it("keeps them until they leave the table, and no longer", function()
        if child.wrapper ~= "" then return pending("a checker has mappings of its own") end
        -- Mappings of this size are the buffers'.
        local result = child.run([[
            local luring = require "luring"
            local ring = luring.queue_init(4, 0)
            local function count()
                for _ = 1, 3 do collectgarbage() end
                local n = 0
                for line in io.lines "/proc/self/maps" do
                    local first, last = line:match "^(%x+)-(%x+)"
                    if tonumber(last, 16) - tonumber(first, 16) >= 33 * 2 ^ 20 then n = n + 1 end
                end
                return n
            end
            local base = count()
            local function show() io.write(count() - base > 0 and "+" or "-") end
            local function buffer() return luring.buffer(33 * 2 ^ 20) end
            assert(ring:register_buffers { buffer() } == 0)
            show()
            assert(ring:register_buffers_update(0, { false }) == 1)
            show()
            assert(ring:register_buffers_update(0, { buffer() }) == 1)
            show()
            assert(ring:unregister_buffers() == 0)
            show()
            assert(ring:register_buffers { buffer() } == 0)
            show()
            ring:queue_exit()
            show()
        ]])
        assert.same({ status = 0, output = "+-+-+-" }, result)
    end)

    it("refuses what is no buffer", function()
        assert.equal(-luring.EINVAL, ring:register_buffers {})
        raises("element 2 is no buffer", ring.register_buffers, ring, { luring.buffer(1), "x" })
        raises("element 1 is no buffer", ring.register_buffers, ring, { true })
        raises("bad argument #2", ring.register_buffers, ring, 16385)
        raises("number expected, got string", ring.register_buffers, ring, "x")
    end)
end)
