-- Serves the files of a folder by HTTP/1.1: a task for each connection.

local USAGE = [[
Usage: lua http_server.lua [OPTION ...] [FOLDER]
Serves the files in FOLDER, or in the current one, until SIGTERM or Ctrl-C.
  --host ADDRESS     listen at this address (127.0.0.1)
  --port N           and this port; for 0 the kernel chooses one (8080)
  --processes N      so many processes share the port (1)
  --timeout SECONDS  how long to wait for a request, and for the client to take
                     the next part of an answer (30)
  --cache SECONDS    how long to keep a file open for further requests, which
                     get it as it was (0)]]

local luring = require "luring"
local co = require "luring.co"

local HEAD = 16 * 1024  -- bytes of the longest head of a request
local SMALL = 64 * 1024 -- bytes of a file that are sent together with the answer's head
local GRACE = 10        -- seconds for answers that are on their way at the end
local KEPT = 250        -- files that are kept open at most: a process may have 1024, with its connections

---@type table<string, any>
local settings = { host = "127.0.0.1", port = "8080", processes = "1", timeout = "30", cache = "0", folder = "." }
local folder ---@type integer its descriptor
local stopping = false

local function complain(...)
    io.stderr:write("http_server.lua: ", table.concat({ ... }, ": "), "\n")
end

---@return never
local function fail(...)
    complain(...)
    os.exit(1)
end

-- ---- requests ----

-- What comes up to an empty line; nil if nothing does, or nil and the status to answer with. A client
-- has one time limit for all of it, and not one for each byte.
local function read_head(client)
    local limit = co.now() + settings.timeout
    local seen = 0
    while true do
        client:settimeout(math.max(limit - co.now(), 0), settings.timeout)
        local more, message = client:peek(seen + 1)
        if not more and message == "timed out" and seen > 0 then return nil, 408 end
        if not more or #more <= seen then return nil end
        local text = client:peek(client:buffered())
        local first = text:find("[^\r\n]") -- old clients send an empty line too many
        local _, last = text:find("\n\r?\n", first or #text)
        if first and last and last <= HEAD then return client:read_exactly(last):sub(first) end
        if #text >= HEAD then return nil, text:find("\n", first, true) and 431 or 414 end
        seen = #text
    end
end

-- A table of what a head says, or nil and the status to answer with.
local function parse(text)
    local method, target, minor, rest = text:match("^(%S+) (%S+) HTTP/1%.(%d)\r?\n(.*)$")
    if not method then return nil, text:find("^%S+ %S+ HTTP/%d+%.%d+\r?\n") and 505 or 400 end
    local headers = {}
    for line in rest:gmatch("([^\n]-)\r?\n") do
        local name, value = line:match("^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.*)$")
        -- Not by "(.-)[ \t]*$", which takes the square of the time that there are blanks in it.
        value = value and (value:match("^.*[^ \t]") or "")
        if name then
            name = name:lower()
            headers[name] = headers[name] and headers[name] .. ", " .. value or value
        end
        if line ~= "" and not name or value and value:gsub("\t", ""):find("%c") then return nil, 400 end
    end
    local host = headers.host or minor == "0" and ""
    if not host or host:find(",", 1, true) then return nil, 400 end
    local connection = (headers.connection or ""):lower()
    local keep = not connection:find("close", 1, true)
    if minor == "0" then keep = keep and connection:find("keep-alive", 1, true) ~= nil end
    local length = headers["content-length"] or "0"
    if not length:find("^%d+$") then return nil, 400 end
    -- A body is not read, so nothing can be told from it afterwards.
    if headers["transfer-encoding"] or length ~= "0" then keep = false end
    return { method = method, target = target, headers = headers, keep = keep }
end

-- The path that a request's target means, without the slash that it begins with; nil for none.
local function path_of(target)
    local plain = target:match("^/+([%w._~/-]*)$")
    if plain then return plain end
    local path = target:gsub("^[Hh][Tt][Tt][Pp]://[^/?#]*", ""):gsub("[?#].*", "")
    if path == "" then path = "/" end
    if not path:find("^/") or path:gsub("%%%x%x", ""):find("%", 1, true) then return nil end
    path = path:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16) --[[@as integer]]) end)
    if path:find("\0", 1, true) then return nil end
    return (path:gsub("^/+", ""))
end

local function escape(path)
    return (path:gsub("[^%w._~/-]", function(byte) return ("%%%02X"):format(byte:byte()) end))
end

-- ---- answers ----

local REASONS = {
    [200] = "OK", [206] = "Partial Content", [301] = "Moved Permanently", [304] = "Not Modified",
    [400] = "Bad Request", [403] = "Forbidden", [404] = "Not Found", [405] = "Method Not Allowed",
    [408] = "Request Timeout", [412] = "Precondition Failed", [414] = "URI Too Long",
    [416] = "Range Not Satisfiable", [431] = "Request Header Fields Too Large",
    [500] = "Internal Server Error", [503] = "Service Unavailable", [505] = "HTTP Version Not Supported",
}

-- A function that gives dates, of which the last is remembered: it is often the next.
local function new_http_date()
    local last, date
    return function(seconds)
        if seconds ~= last then
            last, date = seconds, os.date("!%a, %d %b %Y %H:%M:%S GMT", seconds)
        end
        return date
    end
end
local now_date, file_date = new_http_date(), new_http_date()

-- Sends an answer: true, unless the client has gone. The body is a string or a part of a file,
-- { file =, first =, length = }; without one it says what the status means.
local function answer(client, request, status, fields, body)
    if stopping then request.keep = false end
    body = body or status .. " " .. REASONS[status] .. "\n"
    local length = body.length or #body
    local lines = {
        "HTTP/1.1 " .. status .. " " .. REASONS[status], "Date: " .. now_date(os.time()),
        "Connection: " .. (request.keep and "keep-alive" or "close"),
    }
    if status ~= 304 then lines[#lines + 1] = "Content-Length: " .. length end
    for name, value in pairs(fields or {}) do lines[#lines + 1] = name .. ": " .. value end
    if not (fields and fields["Content-Type"]) then lines[#lines + 1] = "Content-Type: text/plain" end
    local head = table.concat(lines, "\r\n") .. "\r\n\r\n"
    if request.method == "HEAD" or status == 304 or length == 0 then return client:write(head) end
    if not body.file then return client:write(head, body) end
    if length <= SMALL then
        local data = body.file:read(length, body.first)
        return data and #data == length and client:write(head, data)
    end
    return client:write(head) and client:sendfile(body.file, body.first, length) == length
end

-- ---- files ----

local STATUS = {
    [co.EACCES] = 403, [co.EPERM] = 403, [co.EMFILE] = 503, [co.ENFILE] = 503, [co.ENOMEM] = 503, [co.EAGAIN] = 503,
    [co.ENOENT] = 404, [co.ENOTDIR] = 404, [co.ELOOP] = 404, [co.ENAMETOOLONG] = 404, [co.ENXIO] = 404,
    [co.EXDEV] = 404, -- it leads out of the folder
}

-- The kernel sees to it that neither .. nor a link leads out of the folder. A FIFO doesn't make it wait.
local HOW = { flags = co.O_RDONLY + co.O_NONBLOCK + co.O_CLOEXEC, resolve = co.RESOLVE_BENEATH }

local KINDS = { [luring.S_IFREG] = "file", [luring.S_IFDIR] = "folder" }

-- Opens a file or a folder: it, its kind, and what the file system knows of it; or nil and a status.
local function open(path)
    local fd, _, errno = co.io.openat2(folder, path == "" and "." or path, HOW)
    if not fd then return nil, STATUS[errno] or 500 end
    local stat = luring.statx_fd(fd)
    local kind = type(stat) == "table" and KINDS[stat.stx_mode - stat.stx_mode % 4096]
    if kind then return co.file(fd), kind, stat end
    luring.close_fd(fd)
    return nil, type(stat) == "table" and 404 or 500
end

-- Files that are kept open, by their paths: { file =, stat =, till =, users = }.
local kept, kept_count = {}, 0
local keeper ---@type luring.co.scope it owns them

-- As `open`, or a file that is kept: that comes fourth, and `close` wants it back.
local function open_or_kept(path)
    local one = kept[path]
    if one then
        one.users = one.users + 1
        return one.file, "file", one.stat, one
    end
    local file, kind, stat = open(path)
    if kind == "file" and keeper and kept_count < KEPT and not kept[path] then
        one = { file = keeper:own(file), stat = stat, till = co.now() + settings.cache, users = 1 }
        kept[path], kept_count = one, kept_count + 1
    end
    return file, kind, stat, one
end

local function close(file, one)
    if one then one.users = one.users - 1 end
    if not one or one.users == 0 and one.over then file:close() end
end

-- Lets go of each file when its time is over, and of those that are being sent, afterwards.
local function keep_files()
    co.scope(function(s)
        keeper = s
        while true do
            co.sleep(settings.cache / 4)
            local old = {}
            for path, one in pairs(kept) do
                if one.till <= co.now() then old[path] = one end
            end
            for path, one in pairs(old) do
                kept[path], kept_count, one.over = nil, kept_count - 1, true
                if one.users == 0 then one.file:close() end
            end
        end
    end)
end

local TYPES = {
    html = "text/html; charset=utf-8", htm = "text/html; charset=utf-8", css = "text/css; charset=utf-8",
    txt = "text/plain; charset=utf-8", md = "text/markdown; charset=utf-8", lua = "text/plain; charset=utf-8",
    js = "text/javascript; charset=utf-8", mjs = "text/javascript; charset=utf-8", json = "application/json",
    xml = "application/xml", svg = "image/svg+xml", png = "image/png", jpg = "image/jpeg", jpeg = "image/jpeg",
    gif = "image/gif", webp = "image/webp", ico = "image/vnd.microsoft.icon", pdf = "application/pdf",
    woff2 = "font/woff2", wasm = "application/wasm", mp3 = "audio/mpeg", mp4 = "video/mp4", webm = "video/webm",
    zip = "application/zip", gz = "application/gzip",
}

-- The seconds since 1970 of a date as it is written here.
local function seconds_of(date)
    local day, name, y, h, m, s = (date or ""):match("^%a%a%a, (%d%d) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT$")
    local month = name and ("JanFebMarAprMayJunJulAugSepOctNovDec"):find(name, 1, true)
    if not month then return nil end
    month = (month + 29) / 3 % 12 -- from March on: the day that a year may have more is its last
    if month >= 10 then y = y - 1 end
    local days = 365 * y + math.floor(y / 4) - math.floor(y / 100) + math.floor(y / 400)
        + math.floor((153 * month + 2) / 5) + day - 719469
    return ((days * 24 + h) * 60 + m) * 60 + s
end

-- Whether a list of entity tags has this one. Ours are never weak; W/ is of no matter where others are.
local function listed(list, tag)
    return list == "*" or list:find(tag, 1, true)
end

-- The status, if it is not to be the file.
local function condition(headers, tag, changed)
    local tags, date = headers["if-match"], seconds_of(headers["if-unmodified-since"])
    if tags and not listed(tags, tag) or not tags and date and changed > date then return 412 end
    tags, date = headers["if-none-match"], seconds_of(headers["if-modified-since"])
    if tags and listed(tags, tag) or not tags and date and changed <= date then return 304 end
end

-- The first byte and the last of the one range that is asked for; nothing when everything is to be sent,
-- and false when there is no such part.
local function range_of(text, size)
    local first, last = text:match("^[Bb]ytes=(%d*)%-(%d*)$")
    first, last = tonumber(first), tonumber(last)
    if first and last and last < first or not first and not last then return nil end
    if not first then first, last = size - math.min(last or size, size), size - 1 end
    if first >= size then return false end
    return first, math.min(last or size, size - 1)
end

local function send_file(client, request, path, file, stat)
    local headers, size, changed = request.headers, stat.stx_size, stat.stx_mtime
    local fields = {
        ["ETag"] = '"' .. size .. "-" .. changed.tv_sec .. "." .. changed.tv_nsec .. '"',
        ["Last-Modified"] = file_date(changed.tv_sec),
        ["Accept-Ranges"] = "bytes",
        ["Content-Type"] = TYPES[(path:match("%.(%w+)$") or ""):lower()] or "application/octet-stream",
    }
    local status = condition(headers, fields.ETag, changed.tv_sec)
    if status then return answer(client, request, status, fields, "") end
    local wanted = request.method == "GET" and headers.range
    local only = headers["if-range"]
    if wanted and (not only or only == fields.ETag or only == fields["Last-Modified"]) then
        local first, last = range_of(wanted, size)
        if first == false then
            return answer(client, request, 416, { ["Content-Range"] = "bytes */" .. size })
        elseif first then
            fields["Content-Range"] = "bytes " .. first .. "-" .. last .. "/" .. size
            return answer(client, request, 206, fields, { file = file, first = first, length = last - first + 1 })
        end
    end
    return answer(client, request, 200, fields, { file = file, first = 0, length = size })
end

-- ---- folders ----

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- A page that lists a folder; what begins with a dot is not shown.
local function listing(path, file)
    local names = {}
    for name, kind in pairs(luring.readdir(file:getfd())) do
        if not name:find("^%.") then names[#names + 1] = name .. (kind == luring.DT_DIR and "/" or "") end
    end
    table.sort(names)
    if path ~= "" then table.insert(names, 1, "../") end
    for place, name in ipairs(names) do
        names[place] = ('<li><a href="./%s">%s</a></li>\n'):format(escape(name), (name:gsub("[&<>\"']", ENTITIES)))
    end
    local title = ("/" .. path):gsub("[&<>\"']", ENTITIES)
    return ('<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>%s</title>\n<h1>%s</h1>\n<ul>\n%s</ul>\n')
        :format(title, title, table.concat(names))
end

local function send_folder(client, request, path, file)
    if path ~= "" and not path:find("/$") then
        return answer(client, request, 301, { Location = "/" .. escape(path) .. "/" })
    end
    local index, kind, stat, one = open_or_kept(path .. "index.html")
    if index and kind == "file" then
        local sent = send_file(client, request, "index.html", index, stat)
        close(index, one)
        return sent
    elseif index then
        index:close()
    elseif kind ~= 404 then
        return answer(client, request, kind)
    end
    return answer(client, request, 200, { ["Content-Type"] = TYPES.html }, listing(path, file))
end

-- ---- connections ----

local function respond(client, request)
    if request.method ~= "GET" and request.method ~= "HEAD" then
        return answer(client, request, 405, { Allow = "GET, HEAD" })
    end
    local path = path_of(request.target)
    if not path then return answer(client, request, 400) end
    local file, kind, stat, one = open_or_kept(path)
    if not file then return answer(client, request, kind) end
    local send = kind == "file" and send_file or send_folder
    local sent = send(client, request, path, file, stat)
    close(file, one)
    return sent
end

-- Requests that wait in line are answered one after the other. A connection is closed when the client
-- has had time to read the answer: what is unread at a close would take it away.
local function serve(client)
    local request, status
    repeat
        local text
        text, status = read_head(client)
        if text then request, status = parse(text) end
        if not text and not status then return end
        if status then request = { method = "GET", keep = false } end
        local sent
        if status then sent = answer(client, request, status) else sent = respond(client, request) end
        if not sent then return end
    until not request.keep
    client:shutdown()
    co.timeout(2, function() while client:read() do end end)
end

-- ---- the program ----

-- Starts the other processes: this program with the same arguments. They end when this one does, whose
-- end their standard input tells.
local function start_others(port)
    local command, first = { stdin = "pipe" }, 0
    while arg[first - 1] do first = first - 1 end
    for place = first, #arg do command[#command + 1] = arg[place] end
    for _, word in ipairs { "--port", tostring(port), "--worker", "yes" } do command[#command + 1] = word end
    local others = {}
    for place = 2, settings.processes do others[place - 1] = assert(co.process(command)) end
    return others
end

local function main()
    local message
    folder, message = co.io.open(settings.folder, co.O_PATH + co.O_DIRECTORY + co.O_CLOEXEC, 0)
    if not folder then return nil, settings.folder .. ": " .. message end
    local server
    server, message = co.listen(settings.host, settings.port, { reuseport = settings.processes > 1, nodelay = true })
    if not server then return nil, "port " .. settings.port .. ": " .. message end
    local host, port = assert(server:address())
    if host:find(":", 1, true) then host = "[" .. host .. "]" end
    local others = settings.worker and {} or start_others(port)
    if not settings.worker then
        print("http://" .. host .. ":" .. port .. "/ serves " .. settings.folder)
        io.stdout:flush()
    end
    if settings.cache > 0 then co.background(keep_files) end
    co.background(function()
        co.any {
            function() return co.signal("TERM", "INT") end,
            settings.worker and function() return co.stdin:read() or "end" end,
        }
        stopping = true
        for _, other in ipairs(others) do other:kill("TERM") end
        server:stop(GRACE)
    end)
    local served
    served, message = server:serve(serve, { on_error = function(err) complain(tostring(err)) end })
    for _, other in ipairs(others) do other:wait() end
    return served, message
end

local function whole(name, least, most)
    local text = settings[name]
    local number = text:match("^%d+$") and tonumber(text)
    if not number or number < least or number > most then
        fail(("--%s is a number from %d to %d, not %s (see --help)"):format(name, least, most, text))
    end
    settings[name] = number
end

local place = 1
while arg[place] do
    local name = arg[place]:match("^%-%-(%a+)$")
    if name == "help" then
        print(USAGE)
        os.exit(0)
    elseif arg[place]:find("^%-") and not (name and (settings[name] or name == "worker") and name ~= "folder") then
        fail("there is no option " .. arg[place] .. " (see --help)")
    elseif name and not arg[place + 1] then
        fail(arg[place] .. " of what? (see --help)")
    end
    settings[name or "folder"] = arg[place + (name and 1 or 0)]
    place = place + (name and 2 or 1)
end
whole("port", 0, 65535)
whole("processes", 1, 1000)
whole("timeout", 1, 1000000)
whole("cache", 0, 1000000)

local ran, served, message = pcall(co.run, main)
if not ran or not served then fail(ran and message or tostring(served)) end
