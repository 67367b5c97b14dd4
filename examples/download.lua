-- Fetches files, several at once, and goes on where it was interrupted.

local USAGE = [=[
Usage: lua download.lua [-n FILES] [-t SECONDS] [-o FOLDER] URL...
Fetches each http://HOST[:PORT][/PATH] into a file of the same name in FOLDER, or in the current
one: FILES of them at once, 4 unless given. What has come so far is in NAME.part; when the
connection is lost, or nothing comes for SECONDS (30), it asks for the rest, up to five times in a
row, and so does a later run. On a terminal it shows how far it is.]=]

local co = require "luring.co"
local luring = require "luring"

local RETRIES = 5
local REDIRECTS = 10
local REDIRECTED = { ["301"] = true, ["302"] = true, ["303"] = true, ["307"] = true, ["308"] = true }

---@return never
local function fail(...)
    io.stderr:write("download.lua: ", table.concat({ ... }, ": "), "\n")
    os.exit(1)
end

if arg[1] == "--help" then
    print(USAGE)
    os.exit(0)
end
local options = { ["-n"] = 4, ["-t"] = 30, ["-o"] = "." }
local place = 1
while options[arg[place]] do
    local name, word = arg[place], arg[place + 1] or ""
    if name == "-o" then
        options[name] = word
    else
        options[name] = tonumber(word:match("^%d+$"))
        if (options[name] or 0) == 0 then fail(("%s takes a number, not %s (see --help)"):format(name, word)) end
    end
    place = place + 2
end
if not arg[place] then fail("which URL? (see --help)") end

-- What an URL says: its host, port and path, and a name for the file; or nil and what is wrong.
local function parse(url)
    if url:find("[%c ]") then return nil, "no URL" end
    local authority, path = url:match("^[Hh][Tt][Tt][Pp]://([^/?#]+)([^#]*)")
    if not authority then return nil, "not a URL that begins with http://" end
    local host, port = authority:match("^%[([%x:.]+)%]:?(%d*)$")
    if not host then host, port = authority:match("^([%w.-]+):?(%d*)$") end
    port = tonumber(port) or 80
    if not host or port > 65535 then return nil, "no host and port" end
    if path:sub(1, 1) ~= "/" then path = "/" .. path end
    local name = path:match("^[^?]*/([^/?]*)"):gsub("%%(%x%x)", function(code)
        return string.char(assert(tonumber(code, 16)))
    end)
    -- Only a name: what it stands for is in FOLDER, and is seen there.
    if name == "" or name:find("^%.") or name:find("[/%c]") then name = "index.html" end
    return { host = host, port = port, authority = authority, path = path, name = name }
end

-- ---- how far it is ----

local shows = false
local downloads = {}

local function is_terminal()
    local stat = co.io.statx(2, "", luring.AT_EMPTY_PATH, luring.STATX_BASIC_STATS)
    local kinds = { [4] = true, [5] = true, [136] = true } -- consoles, serial lines, and terminals' windows
    return stat and stat.stx_mode - stat.stx_mode % 4096 == luring.S_IFCHR and kinds[stat.stx_rdev_major]
end

local function megabytes(n) return ("%.1f MB"):format(n / 1e6) end

local function show_progress()
    while true do
        co.sleep(0.2)
        local words = {}
        for _, it in ipairs(downloads) do
            if it.running then
                local part = it.whole and it.whole > 0 and ("%d%%"):format(math.floor(it.have / it.whole * 100))
                words[#words + 1] = it.name .. " " .. (part or megabytes(it.have))
            end
        end
        io.stderr:write("\r\27[K", table.concat(words, ", "):sub(1, 79))
    end
end

-- ---- a download ----

-- The status and the headers of an answer, or nil and what is wrong.
local function read_head(stream)
    local line, message = stream:line()
    if not line then return nil, message or "no answer" end
    local status = line:match("^HTTP/1%.%d (%d%d%d)")
    if not status then return nil, "the answer is not HTTP" end
    local headers = {}
    for _ = 1, 200 do
        line, message = stream:line()
        if not line then return nil, message or "half an answer" end
        if line == "" then return status, headers, line end
        local name, value = line:match("^([%w-]+):%s*(.*)$")
        -- Not by "(.-)%s*$", which takes the square of the time that there are blanks in it.
        if name then headers[name:lower()] = value:match("^.*%S") or "" end
    end
    return nil, "too many headers"
end

-- What tells one state of a document from another, if anything does.
local function tag_of(headers)
    local tag = headers["etag"]
    if tag and tag:find('^"') then return tag end
    return headers["last-modified"]
end

-- Gives what comes to `take`: true at the end, or nil and what is wrong.
local function read_body(stream, headers, take)
    if (headers["transfer-encoding"] or ""):lower():find("chunked", 1, true) then
        while true do
            local line, message = stream:line()
            local size = tonumber((line or ""):match("^%x*"), 16)
            if not size then return nil, message or "connection lost" end
            if size == 0 then return true end
            while size > 0 do
                local data
                data, message = stream:read(math.min(size, 65536))
                if not data then return nil, message or "connection lost" end
                take(data)
                size = size - #data
            end
            if stream:line() ~= "" then return nil, "connection lost" end
        end
    end
    local left = tonumber(headers["content-length"]) or math.huge
    while left > 0 do
        local data, message = stream:read(math.min(left, 65536))
        if not data then
            if left == math.huge and not message then return true end
            return nil, message or "connection lost"
        end
        take(data)
        left = left - #data
    end
    return true
end

-- An error that ends the download: another try would meet it too.
local function give_up(message) error({ message }) end

local function must(value, message)
    if not value then give_up(message) end
    return value
end

-- Asks for what is missing: true when all is there, or nil and why not.
local function ask(it, file)
    local stream, message = co.connect(it.host, it.port, { timeout = options["-t"], nodelay = true })
    if not stream then return nil, message end
    stream:settimeout(options["-t"], options["-t"])
    local from = it.tag and it.have > 0 and ("Range: bytes=%d-\r\nIf-Range: %s\r\n"):format(it.have, it.tag) or ""
    local sent
    sent, message = stream:write("GET ", it.path, " HTTP/1.1\r\nHost: ", it.authority, "\r\n", from,
        "User-Agent: luring\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n")
    if not sent then return nil, message end
    local status, headers = read_head(stream)
    while status and status:find("^1") do status, headers = read_head(stream) end -- those come before the answer
    if not status then return nil, headers end

    if REDIRECTED[status] and headers.location then
        it.redirects = (it.redirects or 0) + 1
        if it.redirects > REDIRECTS then give_up "too many redirections" end
        local to = headers.location
        if to:find("^//") then
            to = "http:" .. to
        elseif to:find("^/") then
            to = "http://" .. it.authority .. to
        end
        local target = parse(to)
        if not target then give_up("leads to " .. to) end
        it.host, it.port, it.authority, it.path = target.host, target.port, target.authority, target.path
        stream:close()
        return ask(it, file)
    elseif status == "206" then
        local first, whole = (headers["content-range"] or ""):match("^bytes (%d+)%-%d+/(%d+)$")
        if tonumber(first) ~= it.have then give_up "the server sends another part than it was asked for" end
        it.whole = tonumber(whole)
    elseif status == "200" then
        -- From the beginning: the first time, or since the document has changed.
        must(file:truncate(0))
        it.have, it.whole = 0, tonumber(headers["content-length"])
        it.tag = tag_of(headers)
        if it.tag then must(co.write_file(it.part .. ".tag", it.tag)) else os.remove(it.part .. ".tag") end
    elseif status == "416" and it.have > 0 then
        it.tag = nil -- it has got shorter: all of it
        stream:close()
        return ask(it, file)
    elseif status:find("^5") then
        return nil, "the server answers " .. status
    else
        give_up("the server answers " .. status)
    end

    local done
    done, message = read_body(stream, headers, function(data)
        must(file:write(data, it.have))
        it.have = it.have + #data
        it.tries = 0
    end)
    stream:close()
    -- A server may send less than the part that it was asked for.
    if done and status == "206" and it.have < it.whole then return nil, "connection lost" end
    return done, message
end

local function fetch(it)
    local file = must(co.open(it.part, "a+"))
    must(file:close())
    file = must(co.open(it.part, "r+"))
    it.have, it.tries = must(file:stat()).size, 0
    it.tag = co.read_file(it.part .. ".tag")
    while true do
        local done, message = co.scope(function() return ask(it, file) end)
        if done then break end
        it.tries = it.tries + 1
        if it.tries > RETRIES then give_up(message) end
        co.sleep(0.2 * 2 ^ it.tries)
    end
    must(file:sync())
    must(file:close())
    must(co.io.rename(it.part, it.path_of))
    os.remove(it.part .. ".tag")
end

local failed = false

local function say(where, ...)
    if shows then io.stderr:write("\r\27[K") end
    where:write(...)
    where:flush()
end

local function download(it)
    it.running = true
    local ok, err = co.pcall(fetch, it)
    it.running = false
    if ok then
        say(io.stdout, it.path_of, ": ", tostring(it.have), " bytes\n")
    elseif type(err) == "table" and type(err[1]) == "string" then
        failed = true
        say(io.stderr, "download.lua: ", it.url, ": ", err[1], "\n")
    else
        error(err, 0)
    end
    return true
end

local names = {}
for at = place, #arg do
    local it, message = parse(arg[at])
    if not it then fail(arg[at], message) end
    it.url, it.path_of = arg[at], options["-o"] .. "/" .. it.name
    it.part = it.path_of .. ".part"
    for _, name in ipairs { it.name, it.name .. ".part", it.name .. ".part.tag" } do
        if names[name] then fail(arg[at], "its name is that of " .. names[name] .. " too") end
        names[name] = arg[at]
    end
    downloads[#downloads + 1] = it
end

-- Raises an error where io_uring is refused, as in many containers.
local made, ring = pcall(luring.queue_init, 64, 0)
if not made then fail(ring) end
co.loop({ ring = ring }):run(function()
    shows = is_terminal()
    if shows then co.background(show_progress) end
    co.map(options["-n"], downloads, download)
end)
luring.queue_exit(ring)
if failed then os.exit(1) end
