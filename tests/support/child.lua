-- Runs programs in processes of their own, and what is compiled for that.

local child = {}

-- What a path means after the folder has changed.
local function absolute(path)
    if path:find("^/") or not path:find("/") then return path end
    local pipe = assert(io.popen("pwd"))
    local folder = pipe:read("*l")
    pipe:close()
    return folder .. "/" .. path
end

-- The command that runs this very interpreter: the first word of its command line.
local first = 0
while arg[first - 1] do first = first - 1 end
child.interpreter = absolute(arg[first])
child.support = absolute(debug.getinfo(1, "S").source:match("^@(.*/)[^/]*$") or "./")
child.root = child.support .. "../.."
child.wrapper = os.getenv("LURING_TEST_WRAPPER") or ""
child.in_valgrind = child.wrapper:find("valgrind", 1, true) ~= nil

-- A word for the shell.
function child.quote(word)
    return "'" .. word:gsub("'", "'\\''") .. "'"
end

local function contents(path)
    local file = assert(io.open(path, "rb"))
    local all = file:read("*a")
    file:close()
    return all
end
child.contents = contents

-- What documents the functions that are no rows of the source.
function child.described()
    return contents(child.root .. "/README.md") .. contents(child.root .. "/docs/helpers.md")
end

-- What documents all of them.
function child.reference()
    return child.described() .. contents(child.root .. "/docs/reference.md")
end

-- Runs a shell command: its exit status (128 + N for signal N, 124 when it takes longer
-- than a minute), and what it wrote to its output and error output, in one.
function child.shell(command)
    local output, status = os.tmpname(), os.tmpname()
    os.execute(("(exec timeout -k 5 60 sh -c %s) >%s 2>&1 </dev/null; echo $? >%s"):format(
        child.quote(command), output, status))
    local result = { status = tonumber(contents(status)), output = contents(output) }
    os.remove(output)
    os.remove(status)
    return result
end

-- The words that run the interpreter on a script or on `-e CHUNK`.
function child.command(...)
    local words = { child.wrapper, child.quote(child.interpreter) }
    for _, word in ipairs { ... } do words[#words + 1] = child.quote(word) end
    return table.concat(words, " ")
end

-- The command that runs one of the examples.
function child.example(name, ...)
    return child.command(child.root .. "/examples/" .. name, ...)
end

-- Runs a chunk in an interpreter of its own. `before` is put before the command.
function child.run(chunk, before)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    file:write(chunk)
    file:close()
    local result = child.shell(("exec %s %s"):format(before or "", child.command(path)))
    os.remove(path)
    return result
end

-- A folder for what is compiled.
local function folder()
    local work = os.getenv("LURING_TEST_WORK")
    if not work then
        work = os.tmpname()
        os.remove(work)
        os.execute("mkdir " .. child.quote(work))
    end
    return work
end

-- The words that load a library before an interpreter; nil where the wrapper does that with one of its own.
function child.preload(path)
    if child.wrapper:find("LD_PRELOAD", 1, true) then return nil end
    return "env LD_PRELOAD=" .. child.quote(path)
end

-- Compiles a C file of this folder, once: the path of the program or the shared object.
function child.compile(source, output, flags)
    output = folder() .. "/" .. output
    local there = io.open(output)
    if there then
        there:close()
        return output
    end
    local compiler = os.getenv("CC") or "cc"
    local result = child.shell(("env -u LD_PRELOAD %s -O1 -Wall -pthread %s -o %s %s"):format(
        compiler, flags or "", child.quote(output), child.quote(child.support .. source)))
    assert(result.status == 0, result.output)
    return output
end

return child
