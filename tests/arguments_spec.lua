local luring = require "luring"
local child = require "child"
local drive = require "drive"
local host = require "host"
local rows = require "rows"

-- The cases are made from the reference: each heading has a function's
-- parameters with their types.
local functions = {}
for name, parameters in child.described():gmatch("\n### `luring%.([%w_]+)%((.-)%)") do
    local list = {}
    for parameter, kind, optional in parameters:gmatch("([%w_]+): (%w+)(%??)") do
        list[#list + 1] = { name = parameter, kind = kind, optional = optional == "?" }
    end
    functions[#functions + 1] = { name = name, parameters = list }
end

local INT, UINT = { -2 ^ 31, 2 ^ 31 - 1 }, { 0, 2 ^ 32 - 1 }
local RANGES = {
    fd = INT, sockfd = INT, flags = INT, errno = INT, backlog = INT, domain = INT, type = INT, protocol = INT,
    size = UINT, entries = UINT, wait_nr = UINT, offset = false, permissions = UINT, how = INT, level = INT,
    optname = INT, optlen = { 0, 2 ^ 31 - 1 }, whence = INT, length = false, owner = { -1, 2 ^ 32 - 1 },
    group = { -1, 2 ^ 32 - 1 }, st_mode = UINT, device = UINT, pid = INT, signal = INT, options = INT, idtype = UINT,
    id = UINT, initval = UINT, clockid = INT, wd = INT, mask = UINT, value = INT, opts = INT, signals = INT, mode = INT,
    folder = INT, slot = { 0, 2 ^ 30 - 1 }, max = { 1, 2 ^ 32 - 1 }, n = { 0, 256 },
    bits = UINT, ioprio = { 0, 65535 }, count = UINT,
    ["more.flags"] = UINT, ["has.mask"] = UINT, ["sqe_set_flags.flags"] = { 0, 255 },
    ["sqe_set_personality.id"] = { 0, 65535 }, ["buffer.n"] = { 1, 2 ^ 32 - 1 },
    ["kill.pid"] = { 1, 2 ^ 31 - 1 }, ["killpg.pgrp"] = { 2, 2 ^ 31 - 1 },
}

local NONE = {}
local light, full = host.light(4096), io.stdout

local VALUES = {
    { nil, "nil" }, { NONE, "no value" }, { true, "boolean" }, { false, "boolean" }, { {}, "table" },
    { print, "function" }, { light, "light userdata" }, { full, "userdata" }, { "x", "string" }, { "", "string" },
    { 1.5, "number" }, { 0 / 0, "number" }, { math.huge, "number" }, { -math.huge, "number" }, { 2 ^ 53, "number" },
    { 2 ^ 63, "number" }, { -2 ^ 64, "number" }, { 1e300, "number" }, { "1.5", "string" }, { "nan", "string" },
    { 1, "number" }, { coroutine.create(function() end), "thread" },
}

local function got(value, kind)
    local metatable = value == full and debug.getmetatable(full)
    return metatable and type(metatable.__name) == "string" and metatable.__name or kind
end

-- What is wrong with a value in a place: the text of its error, or nil when it is right.
local complaint
function complaint(call, parameter, value, kind)
    if parameter.optional and (value == nil or value == NONE) then return nil end
    local wanted = parameter.kind
    if wanted == "integer" then
        local number = (kind == "number" or kind == "string") and tonumber(value)
        if not number then return "number expected, got " .. got(value, kind) end
        if number % 1 ~= 0 or math.abs(number) >= 2 ^ 63 then return "number has no integer representation" end
        local range = RANGES[call.name .. "." .. tostring(parameter.name)]
        if range == nil then range = RANGES[parameter.name] end
        if call.name == "queue_init" then range = UINT end
        if range and (number < range[1] or number > range[2]) then
            return ("must be between %.0f and %.0f"):format(range[1], range[2])
        end
        return nil
    elseif wanted == "descriptor" then
        if value == full then return nil end
        if kind == "table" and value ~= NONE then return "descriptor expected, got table" end
        return complaint(call, { kind = "integer", name = "fd" }, value, kind)
    elseif wanted == "folder" or wanted == "id" then
        if kind == "string" and wanted == "folder" then return nil end
        if kind == "number" or kind == "string" then wanted = "integer" else wanted = "descriptor" end
        return complaint(call, { kind = wanted, name = parameter.name }, value, kind)
    elseif wanted == "value" or wanted == "signals" or wanted == "options" then
        if kind == (wanted == "value" and "string" or "table") and value ~= NONE then return nil end
        if call.name == "udp_bind" or call.name == "queue_init_params" then
            return "table expected, got " .. got(value, kind)
        end
        return complaint(call, { kind = "integer", name = parameter.name }, value, kind)
    elseif wanted == "mode" then
        if kind == "string" then return "mode must be one of: w, w+, a, a+, r" end
        wanted = kind == "number" and "integer" or "string"
        return complaint(call, { kind = wanted, name = "mode" }, value, kind)
    elseif wanted == "time" then
        if kind == "number" or tonumber(value) or kind == "table" and value ~= NONE then return nil end
        return "number expected, got " .. got(value, kind)
    elseif wanted == "program" then
        if kind == "table" and value ~= NONE then return "no program is named" end
        return "table expected, got " .. got(value, kind)
    elseif wanted == "data" then
        if kind == "string" or kind == "number" or kind == "table" and value ~= NONE then return nil end
        return "string expected, got " .. got(value, kind)
    elseif wanted == "string" then
        if kind == "string" or kind == "number" then return nil end
        return "string expected, got " .. got(value, kind)
    elseif wanted == "function" then
        if kind == "function" then return nil end
        return "function expected, got " .. got(value, kind)
    elseif wanted == "any" then
        return nil
    elseif wanted == "key" then
        return kind ~= "light userdata" and "key expected, got " .. got(value, kind) or nil
    elseif wanted == "table" then
        if kind == "table" and value ~= NONE then return nil end
        return "table expected, got " .. got(value, kind)
    elseif wanted == "address" then
        if kind == "table" and value ~= NONE then return "field 'family' must be an integer from 0 to 65535" end
        if kind == "string" then
            return #value < 2 and "a packed address has 2 to 128 bytes"
                or "neither a packed address nor a table with family, addr and port"
        end
        return "table expected, got " .. got(value, kind)
    elseif wanted == "cqe" then
        if kind == "light userdata" then
            return "not the cqe that a callback of this ring has got, or already seen"
        end
        return "cqe expected, got " .. got(value, kind)
    elseif wanted == "userdata" then
        return "ring expected, got " .. got(value, kind)
    end
    error("no such kind in the reference: " .. wanted)
end

-- Right arguments for the places before the wrong one.
local NUMBERS = { entries = 4, n = 1, pid = 2 ^ 22 + 1, pgrp = 2 ^ 22 + 1 }

local function right(parameter, ring)
    local values = {
        userdata = ring, integer = NUMBERS[parameter.name] or 0, string = "/dev/null", ["function"] = print,
        descriptor = 0, time = 0, id = 0, folder = 0, value = 0, mode = 0, options = {}, signals = {},
        table = {}, cqe = light, data = "x", any = 1, key = light,
        address = { family = luring.AF_UNIX, path = "/nowhere/socket" },
    }
    return values[parameter.kind]
end

-- What is wrong with these depends on more than one argument: specs of their own say it.
local ELSEWHERE = { chain = true, sync_cancel = true, sqe_set_flags = true, sqe_set_personality = true,
    sqe_set_ioprio = true, stop = true, buf_ring = true, has = true }

local compile = loadstring or load

describe("the reference", function()
    it("has a heading for each function, with types that the cases know", function()
        assert.is_true(#functions >= 13)
        local names = {}
        for _, call in ipairs(functions) do
            names[call.name] = true
            for _, parameter in ipairs(call.parameters) do
                complaint(call, parameter, nil, "nil")
                if parameter.kind == "integer" then
                    assert.not_nil(RANGES[call.name .. "." .. parameter.name] or RANGES[parameter.name], parameter.name)
                end
            end
        end
        for _, row in ipairs(rows) do names[row.name] = true end
        for name, value in pairs(luring) do
            if type(value) == "function" then assert.is_true(names[name], name) end
        end
    end)
end)

describe("a wrong argument", function()
    local ring
    before_each(function() ring = luring.queue_init(256, 0) end)
    after_each(function() luring.queue_exit(ring) end)

    for _, call in ipairs(functions) do
        for position, parameter in ipairs(ELSEWHERE[call.name] and {} or call.parameters) do
            it(("of %s, the %s at %d, is an error"):format(call.name, parameter.name, position), function()
                -- Not a tail call, so that Lua knows the function's name.
                local invoke = assert(compile(
                    ("local luring = ... return function(...) local a, b = luring.%s(...) return a, b end"):format(
                        call.name)))(luring)
                local free = luring.open_file("/dev/null", "r")
                luring.close_fd(free)
                local tried = 0
                for i = 1, #VALUES do
                    local value, kind = VALUES[i][1], VALUES[i][2]
                    local expected = complaint(call, parameter, value, kind)
                    if expected then
                        tried = tried + 1
                        local arguments = {}
                        for before = 1, position - 1 do
                            arguments[before] = right(call.parameters[before], ring)
                        end
                        local count = position
                        if value == NONE then count = position - 1 else arguments[position] = value end
                        local ok, message = pcall(invoke, (unpack or table.unpack)(arguments, 1, count))
                        local what = ("%s: %s at %d"):format(call.name, tostring(value), position)
                        assert.is_false(ok, what)
                        assert.equal("string", type(message), what)
                        expected = ("bad argument #%d to '%s' (%s)"):format(position, call.name, expected)
                        assert.equal(expected, message:match("bad argument.*$"), what)
                    end
                end
                assert.is_true(tried > 3)
                assert.equal(0, luring.submit(ring))
                local again = luring.open_file("/dev/null", "r")
                luring.close_fd(again)
                assert.equal(free, again)
            end)
        end
    end

    -- The actions' cases are made from the kinds of their arguments.
    local group
    local INTEGER = { true, print, {}, light, 1.5, 0 / 0, 2 ^ 70, "x" }
    local STRING = { true, print, {}, light }
    local LIST = { true, print, 5, "x", light, { print } }
    local TABLE = { true, print, 5, "x", light }
    local SIZE = { true, print, {}, light, -1, 1.5, "x" }
    local KINDS = {
        Content = { "x", STRING }, Path = { "/nowhere", { true, print, {}, light, "a\0b" } },
        Payload = { "x", { true, print, light, { print } } }, Parcel = { "x", { true, print, light, { print } } },
        Sizes = { { 1 }, LIST }, List = { { "x" }, LIST }, Descriptors = { { 0 }, LIST }, Cpus = { { 0 }, LIST },
        Files = { 4, { true, print, "x", light, { print } } },
        Buffers = { 4, { true, print, "x", light, { print } } },
        OpenHow = { {}, TABLE }, SlotHow = { {}, TABLE }, Outgoing = { { data = "x" }, TABLE }, Napi = { {}, TABLE },
        Event = { { events = 1 }, { true, print, 5, "x", light, {} } },
        Incoming = { 10, SIZE }, Size = { 10, SIZE }, Address = { { family = luring.AF_UNIX, path = "/x" }, TABLE },
        Duration = { 1, { true, print, light, -1, 0 / 0, {} } }, Key = { light, { true, print, 5, "x", {} } },
        OptVal = { 1, { true, print, {}, light } }, MaxEvents = { 1, INTEGER },
        Words = { luring.buffer(8, { shared = true }), { true, print, 5, "x", light, {}, luring.buffer(8) } },
        Nth = { 2, { true, print, {}, light, 1.5, 0 / 0, "x", 0, 3 } },
        Filled = { {}, LIST }, Written = { {}, LIST },
        Futexes = { {}, { true, print, 5, "x", light, { print }, { {} } } },
    }

    before_each(function()
        -- The kernel may have no groups.
        local made = luring.buf_ring(ring, 1, 256)
        group = type(made) == "userdata" and made or nil
    end)

    for _, row in ipairs(rows) do
        it(("of %s is an error, and nothing is queued"):format(row.name), function()
            if not drive.has(row.name) then return pending("this liburing has no " .. row.name) end
            local invoke = assert(compile(
                ("local luring = ... return function(...) local a, b = luring.%s(...) return a, b end"):format(
                    row.name)))(luring)
            local arguments, tried = { ring }, 0
            for i, kind in ipairs(row.kinds) do
                local right_one, wrong_ones = 0, INTEGER
                if KINDS[kind] then right_one, wrong_ones = KINDS[kind][1], KINDS[kind][2] end
                if kind == "Group" or kind == "Inbox" then
                    if not group then return pending "this kernel has no groups of buffers" end
                    right_one, wrong_ones = group, LIST
                end
                for j = 1, #wrong_ones do
                    arguments[i + 1] = wrong_ones[j]
                    local what = ("%s: %s at %d"):format(row.name, tostring(wrong_ones[j]), i + 1)
                    local ok, message = pcall(invoke, (unpack or table.unpack)(arguments, 1, i + 1))
                    assert.is_false(ok, what)
                    assert.equal(("bad argument #%d to '%s'"):format(i + 1, row.name),
                        message:match("bad argument #%d+ to '[%w_]+'"), what .. ": " .. message)
                    tried = tried + 1
                end
                arguments[i + 1] = right_one
            end
            assert.is_true(#row.kinds == 0 or tried > 3)
            assert.equal(0, luring.submit(ring))
        end)
    end

    it("keeps nothing: not the callback, not the content", function()
        local kept = setmetatable({}, { __mode = "k" })
        local function try(i)
            local function callback() return i end
            kept[callback] = true
            pcall(luring.read, ring, 0, -1, 0, callback)
            pcall(luring.read, ring, 0, 1, 0.5, callback)
            pcall(luring.write, ring, 0, {}, 0, callback)
            pcall(luring.write, ring, 0, "x", "x", callback)
        end
        for i = 1, 20 do try(i) end
        drive.collect()
        assert.is_nil(next(kept))
        assert.equal(0, luring.submit(ring))
    end)
end)

-- Whether a buffer of 4 GiB can be had: not where addresses have 32 bits, nor where the
-- system refuses to promise more memory than it has.
local function roomy()
    if child.shell("getconf LONG_BIT").output == "32\n" then return false end
    if child.contents("/proc/sys/vm/overcommit_memory") == "2\n" then return false end
    local memory = child.contents("/proc/meminfo")
    local total, swap = memory:match("MemTotal:%s*(%d+)"), memory:match("SwapTotal:%s*(%d+)")
    return total + swap > 4 * 2 ^ 20
end

describe("an integer", function()
    it("may be the largest and the smallest of its range", function()
        local ring = luring.queue_init(4, 0)
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "read", -2147483648, 0, 0) })
        assert.same({ -luring.EBADF, "" }, { drive.one(ring, "recv", 2147483647, 0, 0) })
        local ok, res = pcall(drive.one, ring, "read", -1, 4294967295, -2 ^ 63)
        if ok or roomy() then
            assert.equal(-luring.EBADF, res)
        else
            assert.equal("not enough memory", res:match("not enough memory$"))
        end
        luring.queue_exit(ring)
    end)
end)
