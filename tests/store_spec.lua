local luring = require "luring"
local child = require "child"

local has_perl = child.shell("perl -MIO::Socket::INET -e 1").status == 0

local function support(name)
    return "perl " .. child.quote(child.support .. name)
end

-- Runs a shell script in which `serve ARGUMENT...` starts the store, `end` ends it and tells its
-- status and its complaints, and `talk STEP...` are its clients.
local function with_store(script, before)
    return child.shell(([[
        folder=$(mktemp -d); trap 'kill -9 $server 2>/dev/null; rm -rf "$folder"' EXIT; cd "$folder"
        talk() { %s $port "$@"; }
        serve() {
            : >said
            %s "$@" >said 2>errors & server=$!
            until grep -q port said; do kill -0 $server || { cat errors; exit 9; }; sleep 0.02; done
            port=$(sed -n 's/.*port //p' said)
        }
        end() { kill -TERM $server; wait $server; echo $?; cat errors; }
        %s]]):format(support "talk.pl", before or child.example "store.lua", script)).output
end

-- The store on a luring whose fsync is another: a chunk that may say so.
local function with_fsync(chunk)
    return child.command("-e", ([[
        local luring = require "luring"
        %s
        arg = { [0] = "store.lua", "journal" }
        dofile(%q)]]):format(chunk, child.root .. "/examples/store.lua"))
end

-- One sync of the journal ends for each byte that comes out of ./gate; ./syncs has a line for each.
local gated = with_fsync [[
    local gate, fsync = luring.open_file("gate", luring.O_RDWR), luring.fsync
    local syncs = io.open("syncs", "w")
    luring.fsync = function(ring, fd, flags, callback)
        if flags == 0 then return fsync(ring, fd, flags, callback) end
        syncs:write("one\n")
        syncs:flush()
        return luring.read(ring, gate, 1, -1, callback)
    end]]

describe("the example store.lua", function()
    if not has_perl then
        return it("is tried by clients in Perl", function() pending "no perl" end)
    end

    it("keeps what it is told, and has it when it begins again", function()
        local script = [[
            serve journal
            talk 'a>PING' 'a<' 'a>SET key value' 'a<' 'a>get key' 'a<' 'a<' 'a>GET other' 'a<' 'a>SET other x' 'a<' \
                'b>GET other' 'b<' 'b<' 'b>DEL other' 'b<' 'b>DEL other' 'b<'
            end
            serve journal
            talk 'a>GET key' 'a<' 'a<' 'a>GET other' 'a<'
            end]]
        assert.equal([[
a +PONG
a +OK
a $5
a value
a $-1
a +OK
b $1
b x
b :1
b :0
0
a $5
a value
a $-1
0
]], with_store(script))
    end)

    it("takes any bytes as Redis's clients send them", function()
        local script = [[
            serve journal
            printf '*3\r\n$3\r\nSET\r\n$3\r\n\r\n\0\r\n$4\r\n\n* 1\r\n*2\r\n$3\r\nGET\r\n$3\r\n\r\n\0\r\n' >commands
            ask() { perl -MIO::Socket::INET -e '
                my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]"); print $s join "", <STDIN>; shutdown $s, 1;
                print unpack("H*", join "", <$s>), "\n"' $port; }
            ask <commands; end; serve journal; tail -c 22 commands | ask; end]]
        local value = "24340d0a0a2a20310d0a" -- "$4\r\n\n* 1\r\n"
        assert.equal("2b4f4b0d0a" .. value .. "\n0\n" .. value .. "\n0\n", with_store(script))
    end)

    it("says what it doesn't understand", function()
        assert.equal([[
a -ERR unknown command
a -ERR wrong number of arguments
a -ERR Protocol error: no length
a (the end)
b -ERR Protocol error: too long
c -ERR Protocol error: too many words
0
]], with_store [[
            serve journal
            talk 'a>NOTHING' 'a<' 'a>' 'a>SET x' 'a<' 'a>*1' 'a>GET' 'a<' 'a<' 'b>*1' 'b>$1048577' 'b<' 'c>*4' 'c<'
            end]])
    end)

    it("loses nothing that it has answered to when it is killed, and gives nothing torn", function()
        local result = child.shell(('cd "$(mktemp -d)" && %s 20 %s journal 2>&1; rm -r "$PWD"'):format(
            support "kill_store.pl", child.example "store.lua"))
        -- What was half written when it was killed, it may say.
        local output = result.output:gsub("store%.lua: journal: its last %d+ bytes are not whole: [^\n]*\n", "")
        assert.equal("nothing lost, nothing torn\n", output)
    end)

    it("leaves out a record that is not whole, wherever it ends", function()
        local script = [[
            serve journal; talk 'a>SET one 11111' 'a<' 'a>SET two 22222' 'a<'; end; cp journal whole
            for cut in 1 9 25; do
                head -c -$cut whole >journal
                serve journal; talk 'a>GET one' 'a<' 'a<' 'a>GET two' 'a<' 'a>SET two again' 'a<'; end
            done
            serve journal; talk 'a>GET two' 'a<' 'a<'; end]]
        local expected = { "a +OK\na +OK\n0\n" }
        for _, cut in ipairs { 1, 9, 25 } do
            expected[#expected + 1] = ("a $5\na 11111\na $-1\na +OK\n0\n"
                .. "store.lua: journal: its last %d bytes are not whole: they are in journal.torn now\n"):format(
                #"SET 3 5 xxxxxxxxx\ntwo22222\n" - cut)
        end
        expected[#expected + 1] = "a $5\na again\n0\n"
        assert.equal(table.concat(expected), with_store(script))
    end)

    it("leaves out a record whose bytes have changed", function()
        assert.equal([[
a +OK
0
a $-1
0
store.lua: journal: its last 27 bytes are not whole: they are in journal.torn now
]], with_store [[
            serve journal; talk 'a>SET one 11111' 'a<'; end
            sed -i 's/11111$/11121/' journal; serve journal; talk 'a>GET one' 'a<'; end]])
    end)

    it("leaves out a record of any length that there is not", function()
        assert.equal([[
a $5
a 11111
0
store.lua: journal: its last 34 bytes are not whole: they are in journal.torn now
]], with_store [[
            serve journal; talk 'a>SET one 11111' 'a<' >/dev/null; end >/dev/null
            printf 'SET 3 99999999999999999999 1\ntwo2\n' >>journal; serve journal; talk 'a>GET one' 'a<' 'a<'; end]])
    end)

    it("loses nothing of a file that is no journal, or is damaged in its midst", function()
        assert.equal([[
a $-1
0
store.lua: journal: its last 6 bytes are not whole: they are in journal.torn now
a $-1
0
store.lua: journal: its last 54 bytes are not whole: they are in journal.torn now
kept
]], with_store [[
            echo notes >journal; cp journal all; serve journal; talk 'a>GET two' 'a<'; end
            serve journal; talk 'a>SET one 11111' 'a<' 'a>SET two 22222' 'a<' >/dev/null; end >/dev/null
            sed -i 's/11111$/11121/' journal; cat journal >>all; serve journal; talk 'a>GET two' 'a<'; end
            cmp all journal.torn && echo kept]])
    end)

    it("answers to a SET when it is synced, and meanwhile to others", function()
        assert.equal([[
b $-1
c +PONG
a +OK
b $1
b 1
0
]], with_store([[
            mkfifo gate; serve
            talk 'a>SET key 1' ':until [ -s journal ]; do sleep 0.01; done' 'b>GET key' 'b<' 'c>PING' 'c<' \
                ':echo >gate' 'a<' 'b>GET key' 'b<' 'b<'
            end]], gated))
    end)

    it("syncs in one go what came meanwhile", function()
        assert.equal("a +OK\nb +OK\nc +OK\nd +OK\ne +OK\nf +OK\ng +OK\nh +OK\nin one go\n0\n", with_store([[
            mkfifo gate; serve
            talk 'a>SET key 1' ':until [ -s journal ]; do sleep 0.01; done' 'b>SET b 1' 'c>SET c 1' 'd>SET d 1' \
                'e>SET e 1' 'f>SET f 1' 'g>SET g 1' 'h>SET h 1' 'i>PING' ':sleep 0.1; echo 12345678 >gate' \
                'a<' 'b<' 'c<' 'd<' 'e<' 'f<' 'g<' 'h<'
            [ $(wc -l <syncs) -lt 8 ] && echo in one go
            end]], gated))
    end)

    it("ends when a sync fails, and answers to none of it", function()
        assert.equal(("a (the end)\n1\nstore.lua: journal: %s\n"):format(luring.strerror(luring.EBADF)),
            with_store("serve; talk 'a>SET key value' 'a<'; wait $server; echo $?; cat errors", with_fsync [[
                local fsync = luring.fsync
                luring.fsync = function(ring, fd, flags, callback)
                    return fsync(ring, flags == 0 and fd or -1, flags, callback)
                end]]))
    end)

    it("refuses what has no room, and goes on", function()
        -- In blocks of 512 bytes or of 1 KiB. The signal would end it, as it would any program.
        local script = ([[
            trap '' XFSZ
            limit=$(ulimit -Sf); ulimit -Sf 4; serve journal; ulimit -Sf $limit
            talk 'a>SET one 1' 'a<' 'a>SET long %s' 'a<' 'a>SET longer %s' 'a<' 'a>SET two 2' 'a<' 'a>GET two' 'a<' 'a<'
            end
            serve journal; talk 'a>GET one' 'a<' 'a<' 'a>GET two' 'a<' 'a<' 'a>GET longer' 'a<'; end]]):format(
            ("x"):rep(500), ("x"):rep(6000))
        assert.equal([[
a +OK
a +OK
a -ERR journal: written in part
a +OK
a $1
a 2
0
a $1
a 1
a $1
a 2
a $-1
0
]], with_store(script))
    end)

    it("shares its journal with no other", function()
        assert.equal("1\nstore.lua: ./../x/journal: another store has it\n0\n", with_store(([[
            mkdir x; cd x; serve journal; %s ./../x/journal 2>said; echo $?; cat said; end]]):format(
            child.example "store.lua")))
    end)

    it("says in one line what is wrong with its arguments", function()
        for words, why in pairs {
            [""] = "JOURNAL is missing (see --help)",
            ["j 65536"] = "PORT is a number from 0 to 65535, not 65536 (see --help)",
            ["j http"] = "PORT is a number from 0 to 65535, not http (see --help)",
            ["/nowhere/file"] = "/nowhere/file: " .. luring.strerror(luring.ENOENT),
            ["/"] = "/: " .. luring.strerror(luring.EISDIR),
        } do
            local result = child.shell(child.example("store.lua") .. " " .. words)
            assert.equal("store.lua: " .. why .. "\n", result.output)
            assert.equal(1, result.status)
        end
    end)
end)
