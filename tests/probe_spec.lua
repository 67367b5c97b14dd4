-- What this build and the running kernel can do.

local luring = require "luring"
local child = require "child"
local drive = require "drive"

describe("available", function()
    it("is true where a ring can be made", function()
        assert.same({ n = 1, true }, { n = select("#", luring.available()), luring.available() })
    end)

    it("is false, and queue_init's message, where none can", function()
        local refuse = child.compile("refuse.c", "refuse")
        local result = child.run([[
            local luring = require "luring"
            local ok, why = luring.available()
            local _, message = pcall(luring.queue_init, 1, 0)
            assert(ok == false)
            assert(message:find(why, 1, true), message)
            assert(luring.can "read" == false)
            assert(luring.can "strerror" == false)
            io.write(why)
        ]], child.quote(refuse) .. " io_uring_setup 1") -- EPERM
        assert.equal(0, result.status, result.output)
        assert.truthy(result.output:find("^could not initialise queue: "), result.output)
    end)
end)

describe("probe", function()
    it("has true for each operation of the kernel", function()
        local ring = luring.queue_init(1, 0)
        local operations = luring.probe(ring)
        assert.same(operations, luring.probe())
        for _, name in ipairs { "nop", "readv", "read", "write", "accept", "recv", "openat2", "statx" } do
            assert.is_true(operations[name], name)
        end
        assert.is_nil(operations.read_direct)
        for name, value in pairs(operations) do
            assert.equal("string", type(name))
            assert.is_true(value)
        end
        luring.queue_exit(ring)
    end)
end)

describe("features", function()
    it("has true for each feature of the kernel", function()
        local ring = luring.queue_init(1, 0)
        local features = ring:features()
        for _, name in ipairs { "single_mmap", "nodrop", "fast_poll" } do assert.is_true(features[name], name) end
        for name, value in pairs(features) do
            assert.is_true(value)
            assert.is_true(luring.can(name), name)
        end
        luring.queue_exit(ring)
    end)
end)

describe("can", function()
    it("knows actions, other functions, features and flags by their names", function()
        for _, name in ipairs { "read", "write", "recv", "send", "accept", "open", "unlink", "submit", "strerror",
            "fixed", "register_files", "register_eventfd", "nodrop" } do
            assert.is_true(luring.can(name), name)
        end
    end)

    it("is false for what nobody knows, and raises for what is no name", function()
        for _, name in ipairs { "", "bogus", "read_bogus", "Read", "read\0", "register_bogus" } do
            assert.is_false(luring.can(name), name)
        end
        for _, wrong in ipairs { false, {}, print } do
            local ok, message = pcall(luring.can, wrong)
            assert.is_false(ok)
            assert.truthy(message:find("string expected", 1, true))
        end
    end)

    it("is false for what this build's liburing lacks", function()
        local lacking = 0
        for name, value in pairs(luring) do
            if type(value) == "function" and not drive.has(name) then
                lacking = lacking + 1
                assert.is_false(luring.can(name), name)
            end
        end
        if lacking == 0 then pending "this build's liburing lacks nothing" end
    end)

    it("agrees with probe on each action that is an operation", function()
        local operations = luring.probe()
        for name, value in pairs(luring) do
            if type(value) == "function" and operations[name] and drive.has(name) then
                assert.is_true(luring.can(name), name)
            end
        end
    end)

    -- The kernel's answer to the thing itself, beside the one that can() works out.
    it("is what the kernel says when it is tried", function()
        local ring = luring.queue_init(8, 0)
        ring:register_files(2)
        local function try(name, ...)
            if not drive.has(name) then return end
            local res = drive.one(ring, name, ...)
            assert.equal(res ~= -luring.EINVAL, luring.can(name), name)
        end
        try("open_direct", "/dev/null", 0, 0, 0)
        try("accept_direct", -1, 0, 0)
        try("accept_multishot", -1, 0)
        try("accept_multishot_direct", -1, 0)
        try("close_direct", 0)
        try("statx", luring.AT_FDCWD, "/", 0, 0)
        try("socket_direct_alloc", luring.AF_UNIX, luring.SOCK_STREAM, 0, 0)
        luring.queue_exit(ring)
        for _, flag in ipairs { "SUBMIT_ALL", "COOP_TASKRUN", "SQE128", "CQE32", "SINGLE_ISSUER" } do
            local bit = luring["IORING_SETUP_" .. flag]
            if bit then
                assert.equal((pcall(luring.queue_init, 1, bit)), luring.can(flag:lower()), flag)
            else
                assert.is_false(luring.can(flag:lower()), flag)
            end
        end
    end)

    it("knows the flags of a ring's making that came first", function()
        local fields = {
            IOPOLL = {}, SQPOLL = {}, SQ_AFF = { sq_thread_cpu = 0 }, CQSIZE = { cq_entries = 8 }, CLAMP = {},
        }
        for flag, params in pairs(fields) do
            local bit = luring["IORING_SETUP_" .. flag]
            params.flags = flag == "SQ_AFF" and bit + luring.IORING_SETUP_SQPOLL or bit
            local made, ring = pcall(luring.queue_init_params, 1, params)
            assert.equal(made, luring.can(flag:lower()), flag)
            if made then luring.queue_exit(ring) end
        end
        assert.equal(luring.can "clamp", luring.can "attach_wq")
    end)

    it("leaves no descriptor behind", function()
        local free = luring.open_file("/dev/null", "r")
        drive.close(free)
        for _, name in ipairs { "read", "recv_multishot", "buf_ring_inc", "resize_rings", "bogus", "sqe128" } do
            luring.can(name)
        end
        luring.probe()
        luring.available()
        local again = luring.open_file("/dev/null", "r")
        assert.equal(free, again)
        drive.close(again)
    end)
end)
