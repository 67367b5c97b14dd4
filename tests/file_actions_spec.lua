-- The actions on files: what each does to the file system, not only what it returns.

local luring = require "luring"
local drive = require "drive"

local RDWR_CREAT = 2 + 64 -- O_RDWR + O_CREAT, also where a constant is missing

describe("files:", function()
    local ring, folder
    before_each(function()
        ring = luring.queue_init(8, 0)
        folder = os.tmpname()
        os.remove(folder)
        assert.equal(0, (drive.one(ring, "mkdir", folder, 448)))
    end)
    after_each(function()
        luring.queue_exit(ring)
        os.execute("rm -rf '" .. folder .. "'")
    end)

    local function path(name) return folder .. "/" .. name end

    local function put(name, text)
        local file = assert(io.open(path(name), "wb"))
        file:write(text)
        file:close()
        return path(name)
    end

    local function open(name, flags)
        local fd = drive.one(ring, "open", path(name), flags or RDWR_CREAT, 384)
        assert.is_true(fd >= 0, tostring(fd))
        return fd
    end

    local function exists(name)
        local file = io.open(path(name), "rb")
        if file then file:close() end
        return file ~= nil
    end

    it("openat opens from a folder, with flags and permissions", function()
        local dir = drive.one(ring, "open", folder, luring.O_DIRECTORY, 0)
        local fd, value, flags = drive.one(ring, "openat", dir, "new", luring.O_RDWR + luring.O_CREAT, 416)
        assert.is_true(fd >= 0)
        assert.same({ n = 2 }, { n = select("#", value, flags), value })
        assert.equal("number", type(flags))
        assert.equal(-luring.EEXIST, (drive.one(ring, "openat", dir, "new",
            luring.O_RDWR + luring.O_CREAT + luring.O_EXCL, 416)))
        local _, stat = drive.one(ring, "statx", dir, "new", 0, luring.STATX_BASIC_STATS)
        assert.equal(416, stat.stx_mode % 512 - stat.stx_mode % 512 % 32 + stat.stx_mode % 32)
        drive.close(fd, dir)
    end)

    it("open opens at a path, and what is not there is -ENOENT", function()
        put("a", "text")
        local fd = drive.one(ring, "open", path "a", luring.O_RDONLY, 0)
        assert.same({ 4, "text" }, { drive.one(ring, "read", fd, 10, 0) })
        assert.equal(-luring.ENOENT, (drive.one(ring, "open", path "b", luring.O_RDONLY, 0)))
        drive.close(fd)
    end)

    it("openat2 keeps a path within its folder", function()
        put("a", "text")
        assert.equal(0, (drive.one(ring, "symlink", "/etc/passwd", path "out")))
        local dir = drive.one(ring, "open", folder, luring.O_DIRECTORY, 0)
        local inside = { flags = luring.O_RDONLY, resolve = luring.RESOLVE_BENEATH }
        local fd = drive.one(ring, "openat2", dir, "a", inside)
        assert.is_true(fd >= 0, tostring(fd))
        assert.equal(-luring.EXDEV, (drive.one(ring, "openat2", dir, "../x", inside)))
        assert.equal(-luring.EXDEV, (drive.one(ring, "openat2", dir, "out", inside)))
        assert.is_true((drive.one(ring, "openat2", dir, "out", {})) >= 0)
        drive.close(fd, dir)
        assert.error_matches(function() luring.openat2(ring, luring.AT_FDCWD, path "a", { resolv = 8 }) end,
            "unknown field 'resolv'")
    end)

    it("close closes", function()
        local fd = open "a"
        assert.equal(0, (drive.one(ring, "close", fd)))
        assert.equal(-luring.EBADF, (drive.one(ring, "read", fd, 1, 0)))
        assert.equal(-luring.EBADF, (drive.one(ring, "close", fd)))
    end)

    it("statx gives what its mask says is there", function()
        put("a", ("x"):rep(5000))
        local res, stat, flags = drive.one(ring, "statx", luring.AT_FDCWD, path "a", 0, luring.STATX_BASIC_STATS)
        assert.same({ 0, 5000, 1 }, { res, stat.stx_size, stat.stx_nlink })
        assert.equal("number", type(flags))
        assert.is_true(math.abs(stat.stx_mtime.tv_sec - os.time()) < 100)
        assert.is_true(stat.stx_mtime.tv_nsec >= 0 and stat.stx_mtime.tv_nsec < 1e9)
        assert.equal(luring.S_IFREG, stat.stx_mode - stat.stx_mode % 4096)
        local _, few = drive.one(ring, "statx", luring.AT_FDCWD, "/proc/self/stat", 0, luring.STATX_BTIME)
        assert.is_nil(few.stx_btime)
        assert.same({ -luring.ENOENT, nil }, { drive.one(ring, "statx", luring.AT_FDCWD, path "b", 0, 1) , nil })
    end)

    it("statx says what stat says", function()
        put("a", ("x"):rep(5000))
        local pipe = io.popen("stat -c '%i %h %u %g %s %b %o %Y' " .. path "a")
        local expected = pipe:read("*l")
        pipe:close()
        local _, stat = drive.one(ring, "statx", luring.AT_FDCWD, path "a", 0, luring.STATX_BASIC_STATS)
        local got = {
            stat.stx_ino, stat.stx_nlink, stat.stx_uid, stat.stx_gid, stat.stx_size, stat.stx_blocks, stat.stx_blksize,
            stat.stx_mtime.tv_sec,
        }
        for place, number in ipairs(got) do got[place] = ("%d"):format(number) end
        assert.equal(expected, table.concat(got, " "))
        assert.is_true(luring.has(stat.stx_mask, luring.STATX_BASIC_STATS))
        assert.is_true(luring.has(stat.stx_attributes_mask, stat.stx_attributes))
        local _, null = drive.one(ring, "statx", luring.AT_FDCWD, "/dev/null", 0, luring.STATX_BASIC_STATS)
        assert.same({ 1, 3 }, { null.stx_rdev_major, null.stx_rdev_minor })
    end)

    -- By their numbers: the names are younger than some headers.
    it("statx has the younger fields that its mask says are there", function()
        put("a", "text")
        local fd = open "a"
        local info = assert(io.open("/proc/self/fdinfo/" .. fd))
        local mount = info:read("*a"):match("mnt_id:%s*(%d+)")
        info:close()
        local _, stat = drive.one(ring, "statx", fd, "", luring.AT_EMPTY_PATH, 0x1000)
        if luring.has(stat.stx_mask, 0x1000) then assert.equal(tonumber(mount), stat.stx_mnt_id) end
        assert.same(stat.stx_mnt_id, luring.statx_fd(fd, 0x1000).stx_mnt_id)
        local fields = {
            stx_mnt_id = 0x1000, stx_dio_mem_align = 0x2000, stx_dio_offset_align = 0x2000, stx_subvol = 0x8000,
            stx_atomic_write_unit_min = 0x10000, stx_atomic_write_unit_max = 0x10000,
            stx_atomic_write_segments_max = 0x10000, stx_dio_read_offset_align = 0x20000,
        }
        local there = 0
        for _, mask in ipairs { 0, 0x1000, 0x2000, 0x8000, 0x10000, 0x20000, 0x3b000 } do
            for _, known in ipairs { luring.statx_fd(fd, mask), (select(2, drive.one(ring, "statx", fd, "",
                luring.AT_EMPTY_PATH, mask))) } do
                for name, bit in pairs(fields) do
                    assert.equal(luring.has(known.stx_mask, bit), known[name] ~= nil, name)
                    there = there + (known[name] and 1 or 0)
                end
            end
        end
        -- Where there are none at all, the kernel is older than the first of them, from 5.8.
        assert.is_true(there > 0 or not luring.has(stat.stx_mask, 0x1000))
        local direct = luring.statx_fd(fd, 0x2000)
        if (direct.stx_dio_mem_align or 0) > 0 then
            assert.is_true(direct.stx_dio_offset_align >= 512)
            assert.equal(0, direct.stx_dio_offset_align % 512)
        end
        drive.close(fd)
    end)

    it("statx looks at the descriptor itself with AT_EMPTY_PATH", function()
        put("a", "12345")
        local fd = open "a"
        local res, stat = drive.one(ring, "statx", fd, "", luring.AT_EMPTY_PATH, luring.STATX_SIZE)
        assert.same({ 0, 5 }, { res, stat.stx_size })
        drive.close(fd)
    end)

    it("mkdir and unlink make and remove", function()
        assert.equal(0, (drive.one(ring, "mkdir", path "sub", 448)))
        assert.equal(-luring.EEXIST, (drive.one(ring, "mkdir", path "sub", 448)))
        put("sub/a", "")
        assert.equal(-luring.EISDIR, (drive.one(ring, "unlink", path "sub", 0)))
        assert.equal(-luring.ENOTEMPTY, (drive.one(ring, "unlink", path "sub", luring.AT_REMOVEDIR)))
        assert.equal(0, (drive.one(ring, "unlink", path "sub/a", 0)))
        assert.equal(0, (drive.one(ring, "unlink", path "sub", luring.AT_REMOVEDIR)))
        assert.is_false(exists "sub")
    end)

    it("mkdirat and unlinkat do it from a folder", function()
        local dir = drive.one(ring, "open", folder, luring.O_DIRECTORY, 0)
        assert.equal(0, (drive.one(ring, "mkdirat", dir, "sub", 448)))
        assert.is_true(exists "sub")
        assert.equal(0, (drive.one(ring, "unlinkat", dir, "sub", luring.AT_REMOVEDIR)))
        assert.is_false(exists "sub")
        drive.close(dir)
    end)

    it("rename moves, and renameat with RENAME_NOREPLACE keeps what is there", function()
        put("a", "A")
        put("b", "B")
        assert.equal(-luring.EEXIST, (drive.one(ring, "renameat", luring.AT_FDCWD, path "a",
            luring.AT_FDCWD, path "b", luring.RENAME_NOREPLACE)))
        assert.equal("B", drive.contents(path "b"))
        assert.equal(0, (drive.one(ring, "rename", path "a", path "b")))
        assert.equal("A", drive.contents(path "b"))
        assert.is_false(exists "a")
    end)

    it("link and symlink give more names", function()
        put("a", "A")
        assert.equal(0, (drive.one(ring, "link", path "a", path "b", 0)))
        assert.equal(0, (drive.one(ring, "linkat", luring.AT_FDCWD, path "a", luring.AT_FDCWD, path "c", 0)))
        assert.equal(0, (drive.one(ring, "symlink", "a", path "d")))
        assert.equal(0, (drive.one(ring, "symlinkat", "a", luring.AT_FDCWD, path "e")))
        local _, stat = drive.one(ring, "statx", luring.AT_FDCWD, path "a", 0, luring.STATX_NLINK)
        assert.equal(3, stat.stx_nlink)
        for _, name in ipairs { "b", "c", "d", "e" } do assert.equal("A", drive.contents(path(name))) end
    end)

    it("extended attributes come back", function()
        if not drive.has "getxattr" then return pending "this liburing has no getxattr" end
        put("a", "")
        local fd = open "a"
        local res = drive.one(ring, "setxattr", "user.one", "1\0", path "a", 0)
        if res == -luring.EOPNOTSUPP then return pending "this file system has no attributes" end
        assert.equal(0, res)
        assert.equal(0, (drive.one(ring, "fsetxattr", fd, "user.two", "22", luring.XATTR_CREATE)))
        assert.equal(-luring.EEXIST, (drive.one(ring, "fsetxattr", fd, "user.two", "22", luring.XATTR_CREATE)))
        local function get(...)
            local length, value = drive.one(ring, ...)
            return { length, value }
        end
        assert.same({ 2, "1\0" }, get("fgetxattr", fd, "user.one", 10))
        assert.same({ 2, "22" }, get("getxattr", "user.two", path "a", 10))
        assert.same({ 2, "" }, get("getxattr", "user.two", path "a", 0))
        assert.equal(-luring.ERANGE, (drive.one(ring, "getxattr", "user.two", path "a", 1)))
        drive.close(fd)
    end)

    describe("data:", function()
        it("readv and writev take several at once", function()
            local fd = open "a"
            local big = ("y"):rep(3000)
            assert.equal(3005, (drive.one(ring, "writev", fd, { "ab", big, "", "cde" }, 0, 0)))
            assert.equal("ab" .. big .. "cde", drive.contents(path "a"))
            local res, list = drive.one(ring, "readv", fd, { 2, 3000, 100 }, 0, 0)
            assert.same({ 3005, { "ab", big, "cde" } }, { res, list })
            res, list = drive.one(ring, "readv", fd, { 1, 1 }, 3004, 0)
            assert.same({ 1, { "e" } }, { res, list })
            res, list = drive.one(ring, "readv", fd, { 1, 1 }, 4000, 0)
            assert.same({ 0, { "" } }, { res, list })
            drive.close(fd)
        end)

        it("a list is as it was when the action was queued", function()
            local fd = open "a"
            local list = { ("a"):rep(2000), ("b"):rep(2000) }
            assert(luring.writev(ring, fd, list, 0, 0, function(cqe) luring.cqe_seen(ring, cqe) end))
            list[1], list[2] = nil, nil
            drive.collect()
            for i = 1, 100 do list[i] = ("c"):rep(2000 + i) end
            drive.turn(ring)
            assert.equal(("a"):rep(2000) .. ("b"):rep(2000), drive.contents(path "a"))
            drive.close(fd)
        end)

        it("lists longer than IOV_MAX, or of something else, are argument errors", function()
            local list = {}
            for i = 1, 1025 do list[i] = "x" end
            assert.error_matches(function() luring.writev(ring, 0, list, 0, 0) end, "IOV_MAX")
            assert.error_matches(function() luring.writev(ring, 0, { {} }, 0, 0) end, "element 1 must be a string")
            assert.error_matches(function() luring.readv(ring, 0, { 1, -1 }, 0, 0) end, "element 2 must be an integer")
            assert.error_matches(function() luring.writev(ring, 0, 5, 0, 0) end, "table expected, got number")
        end)

        it("fsync, sync_file_range and fadvise succeed on a file, and fail on what is none", function()
            local fd = open "a"
            assert.equal(0, (drive.one(ring, "fsync", fd, 0)))
            assert.equal(0, (drive.one(ring, "fsync", fd, luring.IORING_FSYNC_DATASYNC)))
            assert.equal(0, (drive.one(ring, "sync_file_range", fd, 10, 0, luring.SYNC_FILE_RANGE_WRITE)))
            assert.equal(0, (drive.one(ring, "fadvise", fd, 0, 4096, luring.POSIX_FADV_SEQUENTIAL)))
            local all = drive.one(ring, "fadvise", fd, 0, 2 ^ 33, luring.POSIX_FADV_SEQUENTIAL)
            if all ~= 0 then assert.equal(-luring.EINVAL, all) end -- an older kernel
            local from, to = luring.pipe2()
            assert.equal(-luring.EINVAL, (drive.one(ring, "fsync", from, 0)))
            assert.equal(-luring.ESPIPE, (drive.one(ring, "sync_file_range", from, 10, 0, 0)))
            assert.equal(-luring.ESPIPE, (drive.one(ring, "fadvise", from, 0, 4096, 0)))
            drive.close(fd, from, to)
        end)

        it("fallocate and ftruncate change a file's size", function()
            local fd = open "a"
            local function size()
                local _, stat = drive.one(ring, "statx", fd, "", luring.AT_EMPTY_PATH, luring.STATX_SIZE)
                return stat.stx_size
            end
            assert.equal(0, (drive.one(ring, "fallocate", fd, 0, 0, 10000)))
            assert.equal(10000, size())
            assert.equal(0, (drive.one(ring, "fallocate", fd, luring.FALLOC_FL_KEEP_SIZE, 10000, 10000)))
            assert.equal(10000, size())
            if drive.has "ftruncate" then
                assert.equal(0, (drive.one(ring, "ftruncate", fd, 123)))
                assert.equal(123, size())
            end
            drive.close(fd)
        end)

        it("splice and tee move and copy between pipes and files", function()
            put("a", "0123456789")
            local file = open "a"
            local from1, to1 = luring.pipe2()
            local from2, to2 = luring.pipe2()
            assert.equal(4, (drive.one(ring, "splice", file, 3, to1, -1, 4, 0)))
            assert.equal(4, (drive.one(ring, "tee", from1, to2, 10, 0)))
            assert.same({ 4, "3456" }, { drive.one(ring, "read", from1, 10, -1) })
            assert.same({ 4, "3456" }, { drive.one(ring, "read", from2, 10, -1) })
            assert.equal(2, (drive.one(ring, "write", to1, "XY", -1)))
            assert.equal(2, (drive.one(ring, "splice", from1, -1, file, 0, 2, 0)))
            assert.equal("XY23456789", drive.contents(path "a"))
            drive.close(file, from1, to1, from2, to2)
        end)

        it("pipe makes one", function()
            if not drive.has "pipe" then return pending "this liburing has no pipe" end
            local res, ends = drive.one(ring, "pipe", luring.O_CLOEXEC)
            if res == -luring.EINVAL then return pending "this kernel has no pipe" end
            assert.equal(0, res)
            assert.equal(2, (drive.one(ring, "write", ends[2], "hi", -1)))
            assert.same({ 2, "hi" }, { drive.one(ring, "read", ends[1], 5, -1) })
            drive.close(ends[1], ends[2])
        end)
    end)

    it("a descriptor that nobody gets is closed", function()
        put("a", "")
        local before = drive.descriptors()
        for _ = 1, 5 do
            assert(luring.open(ring, path "a", luring.O_RDONLY, 0)) -- no callback
            drive.turn(ring)
        end
        assert.equal(before, drive.descriptors())
        for _ = 1, 5 do
            assert(luring.open(ring, path "a", luring.O_RDONLY, 0, function() end))
        end
        luring.submit_and_wait(ring, 5)
        luring.queue_exit(ring) -- before any callback
        assert.equal(before - 1, drive.descriptors())
        ring = luring.queue_init(8, 0)
    end)

    it("cmd_discard frees a part of a block device", function()
        if not drive.has "cmd_discard" then return pending "this liburing has no cmd_discard" end
        local image = put("image", ("x"):rep(1048576))
        local pipe = io.popen("losetup -f --show '" .. image .. "' 2>/dev/null")
        local device = pipe:read("*l")
        pipe:close()
        if not device then return pending "there is no loop device to be had" end
        local fd = drive.one(ring, "open", device, luring.O_RDWR, 0)
        local res = drive.one(ring, "cmd_discard", fd, 65536, 131072)
        drive.one(ring, "fsync", fd, 0)
        drive.close(fd)
        os.execute("losetup -d " .. device)
        if res == -luring.EOPNOTSUPP or res == -luring.EINVAL then return pending "this kernel can't discard there" end
        assert.equal(0, res)
        local text = drive.contents(image)
        assert.equal(("x"):rep(65536) .. ("\0"):rep(131072), text:sub(1, 196608))
        assert.equal("x", text:sub(196609, 196609))
    end)

    it("a writer without reader gets -EPIPE", function()
        for _, write in ipairs { "write", "writev" } do
            local from, to = luring.pipe2()
            luring.close_fd(from)
            if write == "write" then
                assert.equal(-luring.EPIPE, (drive.one(ring, "write", to, "x", -1)))
            else
                assert.equal(-luring.EPIPE, (drive.one(ring, "writev", to, { "x" }, -1, 0)))
            end
            drive.close(to)
        end
    end)

    it("a path with a zero byte is an argument error", function()
        assert.error_matches(function() luring.unlink(ring, "a\0b", 0) end, "path contains zero bytes")
    end)
end)
