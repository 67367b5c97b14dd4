-- Slots of a ring's table of files, in the place of descriptors and of what actions make; and
-- objects that have descriptors.

local luring = require "luring"
local drive = require "drive"

local ALLOC = luring.IORING_FILE_INDEX_ALLOC
local fixed = luring.fixed

-- A spec that is skipped, and says why, where this build or the kernel has not what it needs.
local function with(needed, name, body)
    it(name, function()
        if not luring.can(needed) then return pending("no " .. needed .. " here") end
        body()
    end)
end

describe("luring.fixed", function()
    it("gives numbers that no descriptor has, and takes them too", function()
        assert.equal(2 ^ 30, fixed(0))
        assert.equal(2 ^ 30 + 7, fixed(7))
        assert.equal(2 ^ 31 - 1, fixed(2 ^ 30 - 1))
        assert.equal(fixed(7), fixed(fixed(7)))
    end)

    it("raises for what is no slot", function()
        for _, wrong in ipairs { -1, 2 ^ 31, 1.5, "x", {} } do
            local ok, message = pcall(fixed, wrong)
            assert.is_false(ok)
            assert.truthy(message:find("bad argument #1", 1, true))
        end
    end)
end)

describe("a slot", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(16, 0)
        from, to = drive.idle_pipe()
        assert.equal(0, ring:register_files { from, -1, to })
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("is read and written like a descriptor, which may be closed", function()
        drive.close(from, to)
        assert.equal(5, (drive.one(ring, "write", fixed(2), "hello", -1)))
        assert.same({ 5, "hello" }, { drive.one(ring, "read", fixed(0), 10, -1) })
        from, to = drive.idle_pipe()
    end)

    it("that is empty or beyond the table is -EBADF", function()
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fixed(1), 1, -1)))
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fixed(3), 1, -1)))
        assert.equal(-luring.EBADF, (drive.one(ring, "read", 2 ^ 31 - 1, 1, -1)))
    end)

    it("is never the descriptor of the same number", function()
        -- Slot 2 is the pipe; descriptor 2 is something else.
        assert.equal(1, (drive.one(ring, "write", fixed(2), "x", -1)))
        assert.same({ 1, "x" }, { drive.one(ring, "read", from, 1, -1) })
    end)

    it("works for sockets", function()
        local one, other = luring.socketpair()
        assert.equal(1, ring:register_files_update(1, { one }))
        assert.equal(2, (drive.one(ring, "send", fixed(1), "ab", 0)))
        assert.same({ 2, "ab" }, { drive.one(ring, "recv", other, 9, 0) })
        assert.equal(2, (drive.one(ring, "send", other, "cd", 0)))
        assert.same({ 2, "cd" }, { drive.one(ring, "recv", fixed(1), 9, 0) })
        assert.equal(0, (drive.one(ring, "shutdown", fixed(1), luring.SHUT_WR)))
        assert.equal(0, (drive.one(ring, "recv", other, 9, 0)))
        drive.close(one, other)
    end)

    it("is spliced from and to", function()
        local from2, to2 = drive.idle_pipe()
        assert.equal(3, (drive.one(ring, "write", to, "abc", -1)))
        assert.equal(3, (drive.one(ring, "tee", fixed(0), to2, 9, 0)))
        assert.same({ 3, "abc" }, { drive.one(ring, "read", from2, 9, -1) })
        assert.equal(3, (drive.one(ring, "splice", fixed(0), -1, to2, -1, 9, 0)))
        assert.same({ 3, "abc" }, { drive.one(ring, "read", from2, 9, -1) })
        assert.equal(2, (drive.one(ring, "write", to2, "de", -1)))
        assert.equal(2, (drive.one(ring, "splice", from2, -1, fixed(2), -1, 9, 0)))
        assert.same({ 2, "de" }, { drive.one(ring, "read", from, 9, -1) })
        drive.close(from2, to2)
    end)

    it("is an argument error where the kernel takes none", function()
        local calls = {
            { "openat", fixed(0), "x", 0, 0 }, { "statx", fixed(0), "x", 0, 0 }, { "unlinkat", fixed(0), "x", 0 },
            { "mkdirat", fixed(0), "x", 0 }, { "symlinkat", "x", fixed(0), "x" },
            { "renameat", 0, "x", fixed(0), "x", 0 }, { "linkat", fixed(0), "x", 0, "x", 0 },
            { "epoll_ctl", fixed(0), 0, 1, {} }, { "epoll_ctl", 0, fixed(0), 1, {} },
            { "register_eventfd", fixed(0) }, { "register_files", { fixed(0) } },
        }
        for _, call in ipairs(calls) do
            local ok, message = pcall(luring[call[1]], ring, (unpack or table.unpack)(call, 2))
            assert.is_false(ok, call[1])
            assert.truthy(message:find("bad argument", 1, true), message)
            assert.truthy(message:find("a slot can't be used here", 1, true)
                or message:find("no descriptor is as large", 1, true), message)
        end
        local ok, message = pcall(luring.close_fd, fixed(0))
        assert.is_false(ok)
        assert.truthy(message:find("a slot can't be used here", 1, true))
        assert.equal(0, luring.submit(ring))
    end)

    it("takes AT_FDCWD and folders as ever", function()
        local cwd = drive.one(ring, "openat", luring.AT_FDCWD, ".", luring.O_DIRECTORY, 0)
        assert.is_true(cwd >= 0)
        assert.equal(0, (drive.one(ring, "statx", cwd, ".", 0, 0)))
        drive.close(cwd)
    end)

    it("in flight keeps its file, whatever becomes of the slot", function()
        local got
        ring:read(fixed(0), 10, -1, function(cqe, _, data)
            got = data
            ring:cqe_seen(cqe)
        end)
        assert.equal(1, ring:submit())
        assert.equal(1, ring:register_files_update(0, { -1 }))
        assert.equal(1, (drive.one(ring, "write", to, "z", -1)))
        while not got do drive.turn(ring) end
        assert.equal("z", got)
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fixed(0), 1, -1)))
    end)

    it("is closed by close(fixed) and by close_direct", function()
        assert.equal(0, (drive.one(ring, "close", fixed(0))))
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fixed(0), 1, -1)))
        assert.equal(-luring.EBADF, (drive.one(ring, "close", fixed(0))))
        assert.equal(0, (drive.one(ring, "close_direct", 2)))
        assert.equal(-luring.EBADF, (drive.one(ring, "close_direct", fixed(2))))
        -- The descriptors are still open: 0 would be a slot to close otherwise.
        drive.close(to)
        assert.same({ 0, "" }, { drive.one(ring, "read", from, 1, -1) })
        from, to = drive.idle_pipe()
    end)

    it("of a table that the ring has not is an error of the kernel", function()
        local other = luring.queue_init(4, 0)
        assert.equal(-luring.EBADF, (drive.one(other, "read", fixed(0), 1, -1)))
        assert.equal(-luring.ENXIO, (drive.one(other, "close_direct", 0)))
        luring.queue_exit(other)
    end)
end)

describe("an object", function()
    local ring, from, to
    before_each(function()
        ring = luring.queue_init(16, 0)
        from, to = drive.idle_pipe()
    end)
    after_each(function()
        luring.queue_exit(ring)
        drive.close(from, to)
    end)

    it("stands for its descriptor, or its slot", function()
        assert.equal(1, (drive.one(ring, "write", { fd = to }, "a", -1)))
        assert.same({ 1, "a" }, { drive.one(ring, "read", { getfd = function() return from end }, 9, -1) })
        ring:register_files { to }
        assert.equal(1, (drive.one(ring, "write", { fd = fixed(0) }, "b", -1)))
        assert.same({ 1, "b" }, { drive.one(ring, "read", { fd = from }, 9, -1) })
    end)

    it("that is a Lua file is written to, and raises once it is closed", function()
        local path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        assert.equal(3, (drive.one(ring, "write", file, "abc", 0)))
        assert.equal("abc", drive.contents(path))
        file:close()
        local ok, message = pcall(luring.write, ring, file, "abc", 0)
        assert.is_false(ok)
        assert.truthy(message:find("bad argument #2 to '.-' %(file is closed%)"))
        os.remove(path)
    end)

    it("is kept until the last completion, and no longer", function()
        local kept = setmetatable({}, { __mode = "k" })
        local function queue(name, ...)
            local object = { fd = from }
            kept[object] = true
            assert(luring[name](ring, object, ...))
        end
        queue("read", 1, -1)
        queue("readv", { 1 }, -1, 0)
        ring:submit()
        drive.collect()
        local count = 0
        for _ in pairs(kept) do count = count + 1 end
        assert.equal(2, count)
        luring.write(ring, to, "xy", -1)
        drive.turn(ring, 3)
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("is kept beside a string that is kept", function()
        local kept = setmetatable({}, { __mode = "k" })
        local function queue()
            local object = { fd = to }
            kept[object] = true
            luring.write(ring, object, ("x"):rep(5000), -1)
        end
        queue()
        drive.collect()
        assert.not_nil(next(kept))
        drive.turn(ring)
        assert.same({ 5000, ("x"):rep(5000) }, { drive.one(ring, "read", from, 9000, -1) })
        drive.collect()
        assert.is_nil(next(kept))
    end)

    it("that is a file read later is not another file's number", function()
        local path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        file:write("mine")
        file:close()
        local got
        local function queue()
            luring.read(ring, assert(io.open(path)), 9, 0, function(cqe, _, data)
                got = data
                luring.cqe_seen(ring, cqe)
            end)
        end
        queue()
        -- Without the object kept, this closes the file, and the next that is opened has its number.
        drive.collect()
        local others = {}
        for i = 1, 4 do others[i] = luring.open_file("/dev/null", "r") end
        drive.turn(ring)
        assert.equal("mine", got)
        drive.close((unpack or table.unpack)(others))
        os.remove(path)
    end)

    it("that raises leaves nothing behind", function()
        local raised = {}
        local ok, value = pcall(luring.read, ring, { fd = function() error(raised) end }, 1, -1)
        assert.is_false(ok)
        assert.equal(raised, value)
        assert.equal(0, ring:submit())
    end)

    it("may exit the ring when it is asked, which is an error", function()
        local ok, message = pcall(luring.read, ring, { fd = function() ring:queue_exit() return from end }, 1, -1)
        assert.is_false(ok)
        assert.truthy(message:find("the ring has been exited", 1, true))
    end)
end)

describe("direct descriptors:", function()
    local ring, path
    before_each(function()
        ring = luring.queue_init(16, 0)
        assert.equal(0, ring:register_files(4))
        path = os.tmpname()
        local file = assert(io.open(path, "wb"))
        file:write("text")
        file:close()
    end)
    after_each(function()
        luring.queue_exit(ring)
        os.remove(path)
    end)

    local function reads(slot, expected)
        assert.same({ #expected, expected }, { drive.one(ring, "read", slot, 100, 0) })
    end

    -- What a callback gets then.
    local function fails(expected, res, value)
        assert.equal(expected, res)
        assert.is_nil(value)
    end

    local opens = {
        open_direct = function() return path, luring.O_RDONLY, 0 end,
        openat_direct = function() return luring.AT_FDCWD, path, luring.O_RDONLY, 0 end,
        openat2_direct = function() return luring.AT_FDCWD, path, { flags = luring.O_RDONLY } end,
    }
    for name, arguments in pairs(opens) do
        local function open(slot, callback)
            local all = { arguments() }
            all[#all + 1] = slot
            if callback then return drive.one(ring, name, (unpack or table.unpack)(all)) end
            return luring[name](ring, (unpack or table.unpack)(all))
        end

        with(name, name .. " opens into a slot", function()
            local _, value, flags = open(2, true)
            assert.equal(fixed(2), value)
            assert.equal("number", type(flags))
            reads(value, "text")
            assert.equal(fixed(1), (select(2, open(fixed(1), true))))
            reads(fixed(1), "text")
        end)

        with(name, name .. " opens into a free slot", function()
            open(0, true)
            local res, value = open(ALLOC, true)
            assert.equal(fixed(res), value)
            assert.is_true(value > fixed(0) and value <= fixed(3))
            reads(value, "text")
            open(ALLOC, true)
            open(ALLOC, true)
            fails(-luring.ENFILE, open(ALLOC, true))
        end)

        with(name, name .. " leaves the slot's file alone without a callback", function()
            open(3)
            drive.turn(ring)
            reads(fixed(3), "text")
        end)

        with(name, name .. " gives no value where it fails", function()
            os.remove(path)
            fails(-luring.ENOENT, open(0, true))
            local file = assert(io.open(path, "wb"))
            file:close()
            fails(-luring.EINVAL, open(4, true))
        end)
    end

    it("O_CLOEXEC is an argument error", function()
        local stream = luring.SOCK_STREAM
        local calls = {
            { 4, "open_direct", path, luring.O_CLOEXEC, 0, 0 },
            { 5, "openat_direct", luring.AT_FDCWD, path, luring.O_CLOEXEC, 0, 0 },
            { 4, "openat2_direct", luring.AT_FDCWD, path, { flags = luring.O_CLOEXEC }, 0 },
            { 3, "accept_direct", 0, luring.SOCK_CLOEXEC, 0 },
            { 3, "accept_multishot_direct", 0, luring.SOCK_CLOEXEC },
            { 3, "socket_direct", luring.AF_UNIX, stream + luring.SOCK_CLOEXEC, 0, 0, 0 },
            { 3, "socket_direct_alloc", luring.AF_UNIX, stream + luring.SOCK_CLOEXEC, 0, 0 },
            { 2, "pipe_direct", luring.O_CLOEXEC, 0 },
        }
        for _, call in ipairs(calls) do
            if drive.has(call[2]) then
                local ok, message = pcall(luring[call[2]], ring, (unpack or table.unpack)(call, 3))
                assert.is_false(ok, call[2])
                local expected = "bad argument #%d to '.-' %%(O_CLOEXEC makes no sense for a slot%%)"
                local position = call[2]:find("^openat") and 4 or call[2] == "pipe_direct" and 2 or 3
                assert.truthy(message:find(expected:format(position)), message)
            end
        end
        assert.equal(0, ring:submit())
    end)

    local function listener()
        local fd = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        return fd, luring.getsockname(fd)
    end

    with("accept_direct", "accept_direct accepts into a slot", function()
        local fd, address = listener()
        local client = luring.tcp_connect(address)
        assert.equal(fixed(1), (select(2, drive.one(ring, "accept_direct", fd, 0, 1))))
        drive.one(ring, "send", fixed(1), "hi", 0)
        assert.same({ 2, "hi" }, { drive.one(ring, "recv", client, 9, 0) })
        local other = luring.tcp_connect(address)
        local res, value = drive.one(ring, "accept_direct", fd, 0, ALLOC)
        assert.equal(fixed(res), value)
        assert.not_equal(fixed(1), value)
        drive.one(ring, "send", value, "ho", 0)
        assert.same({ 2, "ho" }, { drive.one(ring, "recv", other, 9, 0) })
        drive.close(fd, client, other)
    end)

    with("accept_multishot_direct", "accept_multishot_direct accepts each into a free slot", function()
        local fd, address = listener()
        local slots, clients, last = {}, {}, nil
        luring.accept_multishot_direct(ring, fd, 0, function(cqe, res, value, flags)
            slots[#slots + 1] = value
            last = { res = res, value = value, flags = flags }
            luring.cqe_seen(ring, cqe)
        end)
        ring:submit()
        for i = 1, 4 do
            clients[i] = luring.tcp_connect(address)
            drive.turn(ring)
        end
        table.sort(slots)
        assert.same({ fixed(0), fixed(1), fixed(2), fixed(3) }, slots)
        clients[5] = luring.tcp_connect(address) -- no slot is left: it ends
        drive.turn(ring)
        assert.same({ res = -luring.ENFILE, flags = 0 }, last)
        assert.equal(0, ring:in_flight())
        drive.close(fd, (unpack or table.unpack)(clients))
    end)

    with("socket_direct", "socket_direct makes a socket in a slot", function()
        local fd, address = listener()
        local res, value = drive.one(ring, "socket_direct", luring.AF_INET, luring.SOCK_STREAM, 0, 3, 0)
        assert.same({ 0, fixed(3) }, { res, value })
        assert.equal(0, (drive.one(ring, "connect", value, address)))
        local connection = drive.one(ring, "accept", fd, 0)
        assert.is_true(connection >= 0)
        drive.close(fd, connection)
    end)

    with("socket_direct_alloc", "socket_direct_alloc makes one in a free slot", function()
        ring:register_files_update(0, { 0 })
        local res, value = drive.one(ring, "socket_direct_alloc", luring.AF_UNIX, luring.SOCK_STREAM, 0, 0)
        assert.equal(fixed(res), value)
        assert.not_equal(fixed(0), value)
        assert.equal(-luring.ENOTCONN, (drive.one(ring, "send", value, "x", 0)))
    end)

    with("pipe_direct", "pipe_direct makes a pipe in two slots", function()
        for _, slot in ipairs { 1, ALLOC } do
            local res, value = drive.one(ring, "pipe_direct", 0, slot)
            assert.equal(0, res)
            assert.equal(2, #value)
            if slot == 1 then assert.same({ fixed(1), fixed(2) }, value) end
            assert.equal(3, (drive.one(ring, "write", value[2], "abc", -1)))
            assert.same({ 3, "abc" }, { drive.one(ring, "read", value[1], 9, -1) })
        end
        fails(-luring.ENFILE, drive.one(ring, "pipe_direct", 0, ALLOC))
    end)

    with("fixed_fd_install", "fixed_fd_install gives a slot's file a descriptor", function()
        drive.one(ring, "open_direct", path, luring.O_RDONLY, 0, 1)
        for _, slot in ipairs { 1, fixed(1) } do
            local fd = drive.one(ring, "fixed_fd_install", slot, 0)
            assert.is_true(fd >= 0, fd)
            reads(fd, "text")
            drive.close(fd)
        end
        assert.equal(-luring.EBADF, (drive.one(ring, "fixed_fd_install", 0, 0)))
    end)

    with("fixed_fd_install", "fixed_fd_install's descriptor is closed when nobody gets it", function()
        drive.one(ring, "open_direct", path, luring.O_RDONLY, 0, 1)
        local free = luring.open_file("/dev/null", "r")
        drive.close(free)
        luring.fixed_fd_install(ring, 1, 0)
        drive.turn(ring)
        local again = luring.open_file("/dev/null", "r")
        assert.equal(free, again)
        drive.close(again)
    end)

    it("files_update fills slots, leaves and empties some", function()
        local fd = luring.open_file(path, "r")
        assert.equal(3, (drive.one(ring, "files_update", { fd, { fd = fd }, fd }, 0)))
        drive.close(fd)
        for slot = 0, 2 do reads(fixed(slot), "text") end
        assert.equal(2, (drive.one(ring, "files_update", { -2, -1 }, 1)))
        reads(fixed(1), "text")
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fixed(2), 1, 0)))
        assert.equal(-luring.EINVAL, (drive.one(ring, "files_update", {}, 0)))
        assert.equal(-luring.EINVAL, (drive.one(ring, "files_update", { -1 }, 4)))
        assert.equal(-luring.EBADF, (drive.one(ring, "files_update", { 2 ^ 30 - 1 }, 0)))
    end)

    it("files_update gives the slots that it has chosen", function()
        local fd = luring.open_file(path, "r")
        ring:register_files_update(0, { fd })
        local res, value = drive.one(ring, "files_update", { fd, fd }, ALLOC)
        assert.same({ 2, { fixed(1), fixed(2) } }, { res, value })
        reads(value[2], "text")
        res, value = drive.one(ring, "files_update", { fd, fd }, ALLOC) -- one slot is left
        assert.same({ 1, { fixed(3) } }, { res, value })
        drive.close(fd)
    end)

    it("files_update keeps its objects, whatever becomes of the list", function()
        local kept = setmetatable({}, { __mode = "k" })
        local function queue()
            local file = assert(io.open(path))
            local list = { file }
            kept[file] = true
            luring.files_update(ring, list, 0)
            list[1] = -1
        end
        queue()
        drive.collect()
        assert.not_nil(next(kept))
        drive.turn(ring)
        reads(fixed(0), "text")
        drive.collect()
        assert.is_nil(next(kept))
        reads(fixed(0), "text")
    end)
end)
