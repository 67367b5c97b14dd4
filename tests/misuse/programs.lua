-- Misuses of luring, a small program each, which call only what the C module has too. A program that
-- gets to its end has met clear errors and right results; `wrong` and `leak` say what it has met instead.

local START = [[
local luring = require "luring"
local function verdict(word, text)
    io.stderr:write(word, ": ", text, "\n")
    os.exit(3)
end
local function wrong(text) verdict("wrong", text) end
local function leak(text) verdict("leak", text) end
local function expect(condition, text)
    if not condition then wrong(text) end
end
-- An error in words is what a misuse may come to.
local function refused(f, ...)
    local ok, why = pcall(f, ...)
    expect(not ok, "accepted")
    expect(type(why) == "string" and not why:find("stack overflow", 1, true), "not in words: " .. tostring(why))
end
local function collect()
    for _ = 1, 4 do collectgarbage() end
end
local function turn(ring, count)
    luring.submit_and_wait(ring, count or 1)
    return luring.do_cqes(ring)
end
local function open(path, mode)
    local fd = luring.open_file(path, mode)
    expect(fd > 0, "open_file: " .. fd)
    return fd
end
-- A descriptor of a file with these contents.
local function file(text)
    local f = io.open(FOLDER .. "/file", "wb")
    f:write(text)
    f:close()
    return open(FOLDER .. "/file", "r")
end
local function contents(path)
    local f = io.open(path, "rb")
    local text = f:read("*a")
    f:close()
    return text
end
-- What a read waits for, since nobody writes.
local function silence() return open(FOLDER .. "/fifo", "w") end
local function rings() -- how many descriptors of rings there are
    local pid = contents("/proc/self/stat"):match("^%d+")
    local pipe = io.popen("ls -l /proc/" .. pid .. "/fd 2>/dev/null") -- one may go meanwhile
    local _, count = pipe:read("*a"):gsub("io_uring", "")
    pipe:close()
    return count
end
local function mebibytes() -- of address space
    return contents("/proc/self/statm"):match("^%d+") * 4 / 1024
end
-- Whether what `f` gives is still kept by somebody else.
local function kept(f)
    local weak = setmetatable({ f() }, { __mode = "v" })
    collect()
    return weak[1] ~= nil
end
local null = io.open("/dev/null")
local ring = luring.queue_init(8, 0)
null:close()
]]

local programs = {}
programs.without_input = {} -- the names of those for which descriptor 0 is closed

-- The names are in order, and each stands once.
local function add(name, text)
    assert(not programs[name], name)
    programs[#programs + 1] = name
    programs[name] = text
end

-- ---- wrong arguments ----

add("something else for a ring", [[
    for _, other in ipairs { false, 1, "x", {}, print, io.stdout } do
        refused(luring.submit, other) refused(luring.submit_and_wait, other, 0) refused(luring.do_cqes, other)
        refused(luring.queue_exit, other) refused(luring.read, other, 0, 1, -1) refused(luring.write, other, 1, "x", -1)
        refused(luring.recv, other, 0, 1, 0) refused(luring.send, other, 1, "x", 0) refused(luring.accept, other, 0, 0)
        refused(luring.cqe_seen, other, nil)
    end]])
add("no arguments", [[
    for _, name in ipairs { "submit", "submit_and_wait", "do_cqes", "queue_exit", "read", "write", "recv", "send",
        "accept", "cqe_seen", "queue_init", "strerror", "open_file" } do refused(luring[name]) end]])
add("queue_init of no entries, or too many", [[
    for _, entries in ipairs { 0, -1, 40000, 2 ^ 32, 2 ^ 53 } do refused(luring.queue_init, entries, 0) end]])
add("queue_init with flags that there are not", [[
    for _, flags in ipairs { 2 ^ 31, 2 ^ 32, -1, "x" } do refused(luring.queue_init, 8, flags) end]])
add("a descriptor that is none", [[
    for _, fd in ipairs { "x", {}, false, print, 1.5 } do
        refused(luring.read, ring, fd, 1, -1) refused(luring.write, ring, fd, "x", -1)
        refused(luring.recv, ring, fd, 1, 0) refused(luring.send, ring, fd, "x", 0) refused(luring.accept, ring, fd, 0)
    end]])
add("a descriptor beyond an int", [[
    local fd = file("not to be read") + 2 ^ 32
    refused(luring.read, ring, fd, 8, 0) refused(luring.recv, ring, fd, 8, 0)]])
add("a negative size", [[
    refused(luring.read, ring, 0, -1, -1) refused(luring.recv, ring, 0, -1, 0)]])
add("a size beyond what a read can have", [[
    refused(luring.read, ring, 0, 2 ^ 32, -1) refused(luring.recv, ring, 0, 2 ^ 32, 0)]])
add("contents that are no string", [[
    for _, content in ipairs { false, print, io.stdout } do
        refused(luring.write, ring, 1, content, -1) refused(luring.send, ring, 1, content, 0)
    end
    refused(luring.write, ring, 1, {}, -1)
    refused(luring.write, ring, 1, nil, -1) refused(luring.send, ring, 1, nil, 0)]])
add("a table with a length for contents", [[
    local long = setmetatable({}, { __len = function() return 100000 end, __tostring = function() return "x" end })
    refused(luring.write, ring, 1, long, -1)]])
add("an offset that is none", [[
    for _, offset in ipairs { "x", {}, false, 0.5, 2 ^ 64 } do
        refused(luring.read, ring, 0, 1, offset) refused(luring.write, ring, 1, "x", offset)
    end]])
add("flags beyond an int", [[
    refused(luring.recv, ring, 0, 1, 2 ^ 32) refused(luring.send, ring, 1, "x", 2 ^ 32)
    refused(luring.accept, ring, 0, 2 ^ 32)]])
add("a callback that can't be called", [[
    local fd = file("x")
    for _, callback in ipairs { 1, "x", {}, io.stdout } do
        local ok = pcall(function()
            luring.read(ring, fd, 1, 0, callback)
            turn(ring)
        end)
        expect(not ok, "accepted")
        ring = luring.queue_init(8, 0)
    end]])
add("the actions after one whose callback can't be called", [[
    local fd, called = file("x"), 0
    pcall(luring.read, ring, fd, 1, 0, "no function")
    luring.read(ring, fd, 1, 0, function(cqe)
        called = called + 1
        luring.cqe_seen(ring, cqe)
    end)
    for _ = 1, 10 do pcall(turn, ring, 0) end
    expect(called == 1, "called " .. called .. " times")]])
add("wrong arguments leave nothing queued", [[
    for _ = 1, 100 do
        pcall(luring.read, ring, 0, -1, -1) pcall(luring.read, ring, "x", 1, -1) pcall(luring.write, ring, 1, {}, -1)
        pcall(luring.write, ring, 1, "x", "x") pcall(luring.recv, ring, 0, 1, "x") pcall(luring.accept, ring, 0, {})
    end
    expect(luring.submit(ring) == 0, "something is queued")]])
add("strerror of what is no number", [[
    for _, number in ipairs { "x", {}, false, 0.5 } do refused(luring.strerror, number) end
    expect(type(luring.strerror(-1)) == "string" and type(luring.strerror(99999)) == "string", "no text")]])

-- ---- files ----

add("open_file with a mode that there is not", [[
    for _, mode in ipairs { "x", "rw", "", {}, false } do refused(luring.open_file, FOLDER .. "/file", mode) end]])
add("open_file of a path with a zero byte", [[
    file("x")
    refused(luring.open_file, FOLDER .. "/file\0.txt", "r")]])
add("open_file of what is not there", [[
    expect(luring.open_file(FOLDER .. "/absent", "r") == -2, "not -ENOENT")]])
add("open_file where descriptor 0 is free", [[
    if io.open("/proc/self/fd/0") then return end -- the interpreter has filled the gap
    local fd = luring.open_file("/dev/null", "r")
    expect(fd == 0, "it gave " .. fd)]])
programs.without_input["open_file where descriptor 0 is free"] = true

-- ---- after queue_exit ----

add("queue_exit twice", [[
    luring.queue_exit(ring)
    pcall(luring.queue_exit, ring)
    local other = luring.queue_init(8, 0)
    expect(luring.submit(other) == 0, "another ring is broken")]])
add("collecting a ring after queue_exit", [[
    luring.queue_exit(ring)
    ring = nil
    collect()]])
add("collecting a ring after queue_exit, while another has its descriptor", [[
    luring.queue_exit(ring)
    local other = luring.queue_init(8, 0)
    ring = nil
    collect()
    local called = false
    luring.read(other, file("x"), 1, 0, function(cqe)
        called = true
        luring.cqe_seen(other, cqe)
    end)
    turn(other)
    expect(called, "the other ring is closed")]])
for _, call in ipairs {
    "submit", "submit_and_wait, 0", "do_cqes", "read, 0, 1, -1", "write, 2, '', -1", "recv, 0, 1, 0", "send, 2, '', 0",
    "accept, 0, 0",
} do
    local name, rest = call:match("^([%w_]+)(.*)$")
    add(name .. " after queue_exit", ("luring.queue_exit(ring) refused(luring.%s, ring%s)"):format(name, rest))
end
add("cqe_seen after queue_exit", [[
    local kept_cqe
    luring.read(ring, file("x"), 1, 0, function(cqe)
        kept_cqe = cqe
        error("out")
    end)
    pcall(turn, ring)
    luring.queue_exit(ring)
    refused(luring.cqe_seen, ring, kept_cqe)]])
add("__gc by hand", [[
    local gc = debug.getmetatable(ring).__gc
    gc(ring)
    pcall(gc, ring)
    for _, other in ipairs { 1, "x", {}, print, io.stdout } do refused(gc, other) end]])
add("a ring's metatable on another userdata", [[
    local other, before = io.tmpfile(), debug.getmetatable(io.stdout)
    debug.setmetatable(other, debug.getmetatable(ring))
    local ok = pcall(luring.submit, other)
    debug.setmetatable(other, before)
    expect(not ok, "accepted")]])

-- ---- completions ----

-- Each is done in the callback of a read, which marks it seen for good at last.
for name, text in pairs {
    ["of nil"] = "refused(luring.cqe_seen, ring, nil) refused(luring.cqe_seen, ring)",
    ["of a string, a number, a table"] = "for _, x in ipairs { 'x', 1, {} } do refused(luring.cqe_seen, ring, x) end",
    ["of another userdata"] = "refused(luring.cqe_seen, ring, io.tmpfile())",
    ["of the ring itself"] = "refused(luring.cqe_seen, ring, ring)",
    ["with another ring"] = "refused(luring.cqe_seen, luring.queue_init(8, 0), cqe)",
} do
    -- luacheck: ignore 512
    programs["cqe_seen " .. name] = [[
        local called = 0
        luring.read(ring, file("x"), 1, 0, function(cqe)
            called = called + 1
            ]] .. text .. [[

            luring.cqe_seen(ring, cqe)
        end)
        turn(ring)
        expect(called == 1, "called " .. called .. " times")]]
end
for _, name in ipairs {
    "of nil", "of a string, a number, a table", "of another userdata", "of the ring itself",
    "with another ring",
} do programs[#programs + 1] = "cqe_seen " .. name end
add("cqe_seen of an action that is not completed", [[
    local key = luring.read(ring, silence(), 1, -1)
    refused(luring.cqe_seen, ring, key)
    luring.submit(ring)
    refused(luring.cqe_seen, ring, key)]])
add("cqe_seen twice", [[
    local fd, called = file("x"), 0
    for _ = 1, 4 do
        luring.read(ring, fd, 1, 0, function(cqe)
            called = called + 1
            luring.cqe_seen(ring, cqe)
            refused(luring.cqe_seen, ring, cqe)
        end)
    end
    turn(ring, 4)
    expect(called == 4, called .. " of 4 were called")]])
add("cqe_seen of an old completion", [[
    local fd, called, old = file("x"), 0, nil
    for _ = 1, 20 do
        luring.read(ring, fd, 1, 0, function(cqe)
            called = called + 1
            if old and old ~= cqe then refused(luring.cqe_seen, ring, old) end
            old = cqe
            luring.cqe_seen(ring, cqe)
        end)
        turn(ring)
    end
    expect(called == 20, called .. " of 20 were called")]])
add("no cqe_seen at all", [[
    local called = 0
    luring.read(ring, file("x"), 1, 0, function()
        called = called + 1
        if called == 3 then error("enough") end
    end)
    local _, why = pcall(turn, ring)
    expect(called == 3 and tostring(why):find("enough", 1, true), "called " .. called .. " times")]])

-- ---- callbacks ----

add("a callback that raises a string", [[
    local called = 0
    luring.read(ring, file("x"), 1, 0, function(cqe)
        called = called + 1
        if called == 1 then error("on purpose") end
        luring.cqe_seen(ring, cqe)
    end)
    local ok, why = pcall(turn, ring)
    expect(not ok and tostring(why):find("on purpose", 1, true), "another error: " .. tostring(why))
    luring.do_cqes(ring)
    expect(called == 2, "called " .. called .. " times")]])
add("a callback that raises a table", [[
    local raised = {}
    luring.read(ring, file("x"), 1, 0, function(cqe)
        luring.cqe_seen(ring, cqe)
        error(raised)
    end)
    local _, why = pcall(turn, ring)
    expect(why == raised, "another error: " .. tostring(why))
    expect(luring.do_cqes(ring) == -11, "not -EAGAIN")]])
add("a callback that raises a thousand times", [[
    local fd = file("x")
    for n = 1, 1000 do
        luring.read(ring, fd, 1, 0, function(cqe)
            luring.cqe_seen(ring, cqe)
            error("number " .. n)
        end)
        local _, why = pcall(turn, ring)
        expect(tostring(why):find("number " .. n, 1, true), "another error: " .. tostring(why))
    end]])
add("a callback that yields", [[
    luring.read(ring, file("x"), 1, 0, function(cqe)
        luring.cqe_seen(ring, cqe)
        coroutine.yield()
    end)
    local co = coroutine.create(turn)
    local ok, why = coroutine.resume(co, ring)
    expect(not ok and type(why) == "string", "accepted")]])
add("a callback that calls do_cqes before cqe_seen", [[
    luring.read(ring, file("x"), 1, 0, function() luring.do_cqes(ring) end)
    local ok, why = pcall(turn, ring)
    expect(not ok and tostring(why):find("overflow", 1, true), "it ended: " .. tostring(why))]])
add("a callback that calls do_cqes after cqe_seen", [[
    local fd, called = file("x"), 0
    for _ = 1, 8 do
        luring.read(ring, fd, 1, 0, function(cqe)
            called = called + 1
            luring.cqe_seen(ring, cqe)
            luring.do_cqes(ring)
        end)
    end
    turn(ring, 8)
    expect(called == 8, called .. " of 8 were called")]])
add("a callback that collects garbage", [[
    local fd, called = file("x"), 0
    for _ = 1, 8 do
        luring.read(ring, fd, 1, 0, function(cqe)
            collect()
            luring.cqe_seen(ring, cqe)
            collect()
            called = called + 1
        end)
    end
    turn(ring, 8)
    expect(called == 8, called .. " of 8 were called")]])
add("queue_exit in a callback", [[
    local fd, called = file("x"), 0
    for _ = 1, 3 do
        luring.read(ring, fd, 1, 0, function()
            called = called + 1
            luring.queue_exit(ring)
        end)
    end
    luring.submit_and_wait(ring, 3)
    pcall(luring.do_cqes, ring)
    expect(called == 1, "called " .. called .. " times")]])
add("dropping the ring in a callback", [[
    local called = 0
    local function go()
        local other = luring.queue_init(8, 0)
        luring.read(other, file("x"), 1, 0, function(cqe)
            called = called + 1
            luring.cqe_seen(other, cqe)
            other = nil
            collect()
        end)
        luring.submit_and_wait(other, 1)
        return luring.do_cqes(other)
    end
    go()
    collect()
    expect(called == 1, "called " .. called .. " times")]])
add("os.exit in a callback", [[
    luring.read(ring, silence(), 100000, -1, print)
    luring.read(ring, file("x"), 1, 0, function() os.exit(0, true) end)
    turn(ring)
    wrong("not called")]])

-- ---- what is in flight when a ring ends ----

add("ending with reads in flight", [[
    local fd = silence()
    for _ = 1, 8 do luring.read(ring, fd, 100000, -1, print) end
    luring.submit(ring)]])
add("ending with reads queued", [[
    local fd = silence()
    for _ = 1, 8 do luring.read(ring, fd, 100000, -1, print) end]])
for how, text in pairs {
    ["queue_exit"] = "luring.queue_exit(other)",
    ["the collector"] = "other = nil collect()",
} do
    programs["memory of reads in flight, after " .. how] = [[
        local fd = silence()
        local function go()
            local other = luring.queue_init(8, 0)
            for _ = 1, 8 do luring.read(other, fd, 1000000, -1) end
            luring.submit(other)
            ]] .. text .. [[

        end
        go()
        collect()
        local before = mebibytes()
        for _ = 1, 20 do go() end -- which have 160 MB
        collect()
        local more = mebibytes() - before
        if more > 64 then leak(("%.0f MiB"):format(more)) end]]
    programs["callbacks of reads in flight, after " .. how] = [[
        local fd = silence()
        if kept(function()
            local value = {}
            local other = luring.queue_init(8, 0)
            luring.read(other, fd, 10, -1, function() return value end)
            luring.submit(other)
            ]] .. text .. [[

            return value
        end) then leak("the callback") end]]
end
for _, name in ipairs {
    "memory of reads in flight, after queue_exit", "memory of reads in flight, after the collector",
    "callbacks of reads in flight, after queue_exit", "callbacks of reads in flight, after the collector",
} do programs[#programs + 1] = name end
add("data that comes after the ring has ended", [[
    local fd = silence()
    luring.read(ring, fd, 100000, -1, print)
    luring.submit(ring)
    luring.queue_exit(ring)
    local strings = {}
    for n = 1, 200 do strings[n] = ("%04d"):format(n):rep(25000) end
    local f = io.open(FOLDER .. "/fifo", "r+")
    f:write("data")
    f:flush()
    local other = luring.queue_init(8, 0)
    local got
    luring.read(other, fd, 4, -1, function(cqe, _, result)
        luring.cqe_seen(other, cqe)
        got = result
    end)
    luring.submit(other)
    for _ = 1, 1000 do
        if got then break end
        luring.do_cqes(other)
        os.execute("sleep 0.01")
    end
    expect(got == "data", "the ended ring has taken it")]])
add("descriptors of rings that were dropped", [[
    for _ = 1, 50 do luring.queue_init(8, 0) end
    collect()
    if rings() > 1 then leak(rings() - 1 .. " descriptors") end]])

-- ---- what is read and written ----

add("a short read", [[
    local got
    local junk = {}
    for n = 1, 100 do junk[n] = ("secret"):rep(600 + n) end
    junk = nil
    collect()
    luring.read(ring, file("Hello, world"), 4096, 0, function(cqe, res, result)
        luring.cqe_seen(ring, cqe)
        got = result
    end)
    turn(ring)
    expect(got == "Hello, world", "the result has " .. #(got or "") .. " bytes")]])
add("a read at the end of the file", [[
    local got
    luring.read(ring, file("x"), 4096, 1, function(cqe, _, result)
        luring.cqe_seen(ring, cqe)
        got = result
    end)
    turn(ring)
    expect(got == "", "the result has " .. #(got or "") .. " bytes")]])
add("a read that fails", [[
    local got, code
    luring.read(ring, 999, 4096, -1, function(cqe, res, result)
        luring.cqe_seen(ring, cqe)
        code, got = res, result
    end)
    turn(ring)
    expect(code == -9, "not -EBADF: " .. tostring(code))
    expect(got == "", "the result has " .. #(got or "") .. " bytes")]])
add("a receive from what is no socket", [[
    local got, code
    luring.recv(ring, file("x"), 4096, 0, function(cqe, res, result)
        luring.cqe_seen(ring, cqe)
        code, got = res, result
    end)
    turn(ring)
    expect(code == -88, "not -ENOTSOCK: " .. tostring(code))
    expect(got == "", "the result has " .. #(got or "") .. " bytes")]])
add("a read of nothing", [[
    local got
    luring.read(ring, file("x"), 0, 0, function(cqe, _, result)
        luring.cqe_seen(ring, cqe)
        got = result
    end)
    turn(ring)
    expect(got == "", "no empty string")]])
add("contents that nobody else keeps", [[
    local many = luring.queue_init(64, 0)
    local fd, expected = open(FOLDER .. "/written", "w+"), {}
    for n = 1, 50 do
        expected[n] = ("%04d"):format(n)
        luring.write(many, fd, expected[n]:rep(2048), -1)
    end
    collect()
    local others = {}
    for n = 1, 200 do others[n] = ("<%02d>"):format(n % 100):rep(2048) end
    turn(many, 50)
    for n = 1, 50 do expected[n] = expected[n]:rep(2048) end
    local text, seen = contents(FOLDER .. "/written"), 0
    for _, part in ipairs(expected) do
        if text:find(part, 1, true) then seen = seen + 1 end
    end
    expect(#text == 50 * 8192 and seen == 50, seen .. " of 50 were written")]])
add("a full queue", [[
    local accepted, called = 0, 0
    local fd = file("x")
    for _ = 1, 100 do
        local key = luring.read(ring, fd, 1, 0, function(cqe)
            called = called + 1
            luring.cqe_seen(ring, cqe)
        end)
        if key then accepted = accepted + 1 end
    end
    expect(accepted == 8, accepted .. " were accepted")
    turn(ring, 8)
    expect(called == 8, called .. " of 8 were called")]])
add("a full queue keeps no callback", [[
    local fd = file("x")
    for _ = 1, 8 do luring.read(ring, fd, 1, 0) end
    if kept(function()
        local value = {}
        luring.read(ring, fd, 1, 0, function() return value end)
        return value
    end) then leak("the callback") end]])
add("a callback that was called is kept no more", [[
    local fd = file("x")
    if kept(function()
        local value = {}
        luring.read(ring, fd, 1, 0, function(cqe)
            luring.cqe_seen(ring, cqe)
            return value
        end)
        turn(ring)
        return value
    end) then leak("the callback") end]])
add("a thousand reads after another", [[
    local fd, called = file("x"), 0
    for _ = 1, 1000 do
        luring.read(ring, fd, 1, 0, function(cqe)
            called = called + 1
            luring.cqe_seen(ring, cqe)
        end)
        turn(ring)
    end
    expect(called == 1000, called .. " of 1000 were called")]])

-- A whole program.
function programs.text(name, folder)
    return ("local FOLDER = %q\n"):format(folder) .. START .. programs[name]
end

return programs
