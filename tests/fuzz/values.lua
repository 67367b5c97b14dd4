-- Expressions for an action's arguments, by their kinds: plausible ones, and absurd ones.
--
-- A kind that stands not here gets anything at all.

local values = {}

local ABSURD = {
    "nil", "true", "-1", "0", "1", "1.5", "2^31", "2^32 - 1", "2^53", "-2^63", "1e308", "0/0", "math.huge",
    "'7'", "''", "'x'", "('y'):rep(70000)", "{}", "{ 1 }", "fail", "io.stdout", "closed_file", "object",
    "R[1]", "R[2]", "K[1]", "B[1]", "G[1]", "setmetatable({}, { __index = function() error('index') end })",
    "setmetatable({}, { __index = function() collectgarbage() end, __call = fail })", "coroutine.create(fail)",
}

local NAMES = { "'a'", "'b'", "'dir'", "'dir/c'", "'fifo'", "'link'", "'none'", "''", "'x\\0y'", "('n'):rep(300)" }

-- The constants with a prefix, as the module has them, one or two of them.
local function flags(prefix)
    local names = {}
    for name in pairs(require "luring") do
        if name:find("^" .. prefix) then names[#names + 1] = "L." .. name end
    end
    table.sort(names)
    return function(dice)
        if #names == 0 or dice:once(2) then return "0" end
        return dice:once(3) and dice:pick(names) .. " + " .. dice:pick(names) or dice:pick(names)
    end
end

local function one_of(list) return function(dice) return dice:pick(list) end end

local function table_of(fields)
    return function(dice)
        local parts = {}
        for _, field in ipairs(fields) do
            if not dice:once(3) then parts[#parts + 1] = field[1] .. " = " .. values.of(dice, field[2]) end
        end
        return "{ " .. table.concat(parts, ", ") .. " }"
    end
end

local function list_of(kind, most)
    return function(dice)
        local parts = {}
        for i = 1, dice:roll(most) do parts[i] = values.of(dice, kind) end
        return "{ " .. table.concat(parts, ", ") .. " }"
    end
end

local function fd(dice)
    return dice:weigh {
        { 12, ("F[%d]"):format(dice:roll(16)) }, { 2, ("L.fixed(%d)"):format(dice:roll(6) - 1) }, { 1, "an_object" },
        { 1, "closed_file" }, { 1, "0" },
    }
end

local function integer(dice) return dice:weigh { { 6, "0" }, { 2, tostring(dice:roll(9)) }, { 1, tostring(2 ^ dice:roll(30)) } } end

local function size(dice)
    return dice:weigh {
        { 6, tostring(dice:roll(200)) }, { 3, tostring(dice:roll(100000)) }, { 1, "2^20" }, { 4, ("B[%d]"):format(dice:roll(4)) },
        { 6, ("G[%d]"):format(dice:roll(3)) }, { 1, "0" },
    }
end

local function content(dice)
    return dice:weigh {
        { 6, ("('%s'):rep(%d)"):format(dice:pick { "s", "t", "u" }, dice:roll(300)) }, { 1, "''" },
        { 4, ("('%s'):rep(%d)"):format(dice:pick { "v", "w" }, dice:roll(60000)) }, { 4, ("B[%d]"):format(dice:roll(4)) }, { 1, "42" },
    }
end

local KINDS = {
    Fd = fd, Closing = fd, NoSlot = fd, Input = fd,
    Dir = function(dice) return dice:weigh { { 4, "L.AT_FDCWD" }, { 1, fd(dice) } } end,
    Int = integer, Unsigned = integer, Length = size,
    SlotFlags = flags "O_", ZcFlags = one_of { "0", "L.IORING_SEND_ZC_REPORT_USAGE" }, Mode = one_of { "420", "0", "511" },
    IntoSlot = one_of { "0", "1", "5", "L.fixed(2)", "L.IORING_FILE_INDEX_ALLOC", "70" },
    FromSlot = one_of { "0", "1", "L.fixed(2)", "70" }, FirstSlot = one_of { "0", "3", "L.IORING_FILE_INDEX_ALLOC" },
    Path = one_of(NAMES), Size = size, Content = content, Offset = one_of { "-1", "0", "3", "100000" },
    Group = function(dice) return ("G[%d]"):format(dice:roll(3)) end, ["UpTo<65535>"] = integer,
    Buffers = function(dice) return dice:once(3) and "4" or list_of("Buffer", 4)(dice) end,
    Buffer = function(dice) return dice:once(5) and "false" or ("B[%d]"):format(dice:roll(4)) end,
    Key = function(dice) return ("K[%d]"):format(dice:roll(8)) end,
    Parcel = function(dice) return dice:once(3) and list_of("Content", 4)(dice) or content(dice) end,
    Payload = function(dice) return dice:once(3) and list_of("Content", 4)(dice) or content(dice) end,
    List = list_of("Content", 5), Sizes = list_of("Small", 5), Small = one_of { "1", "100", "5000", "0" },
    Descriptors = list_of("Descriptor", 4), Descriptor = function(dice) return dice:once(4) and "-1" or fd(dice) end,
    Files = function(dice) return dice:once(2) and tostring(dice:roll(8)) or list_of("Descriptor", 8)(dice) end,
    Duration = one_of { "0", "0.001", "0.01", "{ tv_sec = 0, tv_nsec = 1000 }", "5", "-1" },
    Address = one_of {
        "{ family = L.AF_UNIX, path = 'socket' }", "{ family = L.AF_INET, addr = '127.0.0.1', port = 0 }", "address",
        "L.getsockname(F[9])", "setmetatable({ family = L.AF_INET, addr = '127.0.0.1' }, { __index = function(_, k) later() return k == 'port' and 0 or nil end })",
    },
    Incoming = function(dice)
        return dice:once(2) and size(dice) or table_of { { "size", "Size" }, { "control", "Small" }, { "name", "Int" } }(dice)
    end,
    Outgoing = table_of { { "data", "Payload" }, { "fds", "Descriptors" }, { "addr", "Address" }, { "control", "Controls" } },
    Controls = one_of { "{}", "{ { level = 1, type = 2, data = 'x' } }", "{ 1 }" },
    Event = one_of { "{ events = 1, data = 7 }", "{ events = 5 }", "{}" }, MaxEvents = one_of { "1", "8", "1000" },
    OpenHow = table_of { { "flags", "OpenFlags" }, { "mode", "Mode" }, { "resolve", "Int" } },
    SlotHow = table_of { { "flags", "OpenFlags" }, { "mode", "Mode" } }, OpenFlags = flags "O_",
    OptVal = one_of { "1", "'\\1\\0\\0\\0'", "4", "64" }, Cpus = one_of { "{ 0 }", "{ 0, 1 }", "{}" },
    Napi = one_of { "{ busy_poll_to = 1 }", "{}" }, OrNone = one_of { "nil", "64", "8" },
}

-- Anything at all.
function values.absurd(dice) return dice:pick(ABSURD) end

-- One for a kind: plausible, mostly.
function values.of(dice, kind)
    local make = KINDS[kind]
    if not make or dice:once(25) then return values.absurd(dice) end
    return make(dice)
end

-- What a mistake in the flags of a function with this name would be.
local FLAGS = { open = flags "O_", openat = flags "O_", send = flags "MSG_", recv = flags "MSG_", recvmsg = flags "MSG_", sendmsg = flags "MSG_" }

-- Which of the stage's descriptors make sense.
local FDS = {}
for names, fds in pairs {
    ["read readv read_multishot read_fixed poll_add poll_multishot tee splice"] = { 1, 1, 3, 4, 5, 11, 11, 14 },
    ["recv recv_multishot recvmsg send sendmsg send_zc sendmsg_zc"] = { 3, 4, 3, 4, 6, 7 },
    ["write writev write_fixed"] = { 2, 2, 3, 4, 5, 12 }, ["sendto"] = { 6, 7 },
    ["accept accept_from accept_multishot accept_direct accept_multishot_direct"] = { 8, 9 },
} do
    for name in names:gmatch "%S+" do FDS[name] = fds end
end

-- The arguments of an action, in a row.
function values.arguments(dice, row)
    local parts = {}
    for i, kind in ipairs(row.kinds) do
        local flagged = FLAGS[row.name]
        local fds = kind == "Fd" and not dice:once(4) and FDS[row.name]
        parts[i] = fds and ("F[%d]"):format(dice:pick(fds)) or kind == "Int" and flagged and dice:once(2) and flagged(dice) or values.of(dice, kind)
    end
    return parts
end

return values
