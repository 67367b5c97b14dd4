local luring = require "luring"
local child = require "child"
local drive = require "drive"

local has_perl = child.shell("perl -MIO::Socket::INET -e 1").status == 0

-- Runs a shell script beside the server, in which `talk STEP...` are its people, and `end` ends it
-- and tells its status and its complaints.
local function with_chat(script)
    return child.shell(([[
        folder=$(mktemp -d); trap 'kill -9 $server 2>/dev/null; rm -rf "$folder"' EXIT; cd "$folder"
        talk() { perl %s $port "$@"; }
        end() { kill -TERM $server; wait $server; echo $?; cat errors; }
        : >said; %s >said 2>errors & server=$!
        until grep -q port said; do kill -0 $server || { cat errors; exit 9; }; sleep 0.02; done
        port=$(sed -n 's/.*port //p' said)
        %s]]):format(child.quote(child.support .. "talk.pl"), child.example "chat.lua", script)).output
end

describe("the example chat.lua", function()
    if not has_perl then
        return it("is tried by clients in Perl", function() pending "no perl" end)
    end

    it("passes on what is said to those in the room", function()
        assert.equal([[
ann * Your name?
ann * ann is here in lobby
bob * Your name?
bob * bob is here in lobby
ann * bob is here in lobby
bob ann: hello, bob
ann bob: hello, ann
ann * bob has left
bob * goodbye
bob (the end)
ann * In lobby: ann
0
]], with_chat [[talk 'ann<' 'ann>ann' 'ann<' 'bob<' 'bob>bob' 'bob<' 'ann<' 'ann>hello, bob' 'bob<' \
            'bob>hello, ann' 'ann<' 'bob>/quit' 'ann<' 'bob<' 'bob<' 'ann>/who' 'ann<'; end]])
    end)

    it("lets nobody write over what others have said", function()
        local said = with_chat [[talk 'ann<' 'ann>ann' 'ann<' 'bob<' 'bob>bob' 'bob<' 'ann<' \
            "$(printf 'bob>hi\r* ann has left\033[2J')" 'ann<'; end]]
        assert.equal("ann bob: hi * ann has left [2J\n0\n", said:match("ann bob: .*$"))
    end)

    it("has rooms", function()
        assert.equal([[
ann * Your name?
ann * ann is here in lobby
bob * Your name?
bob * bob is here in lobby
ann * bob is here in lobby
eve * Your name?
eve * eve is here in lobby
ann * eve is here in lobby
bob * eve is here in lobby
bob * bob is here in attic
ann * bob has left
ann * ann is here in attic
bob * ann is here in attic
bob ann: up here
ann * In attic: ann, bob
eve * bob has left
eve * ann has left
eve * In lobby: eve
0
]], with_chat [[talk 'ann<' 'ann>ann' 'ann<' 'bob<' 'bob>bob' 'bob<' 'ann<' 'eve<' 'eve>eve' 'eve<' 'ann<' 'bob<' \
            'bob>/join attic' 'bob<' 'ann<' 'ann>/join attic' 'ann<' 'bob<' 'ann>up here' 'bob<' 'ann>/who' 'ann<' \
            'eve<' 'eve<' 'eve>/who' 'eve<'; end]])
    end)

    it("wants a name that nobody has", function()
        assert.equal([[
ann * Your name?
ann * That is no name: another?
ann * That is no name: another?
ann * ann is here in lobby
bob * Your name?
bob * That is taken: another?
bob * bob is here in lobby
ann * bob is here in lobby
ann * bob has left
eve * Your name?
eve * bob is here in lobby
0
]], with_chat [[talk 'ann<' 'ann>' 'ann<' 'ann>Ann Smith' 'ann<' 'ann> ann ' 'ann<' 'bob<' 'bob>ann' 'bob<' \
            'bob>bob' 'bob<' 'ann<' 'bob!' 'ann<' 'eve<' 'eve>bob' 'eve<'; end]])
    end)

    it("says what it doesn't understand", function()
        assert.equal([[
ann * Your name?
ann * ann is here in lobby
ann * There is no /dance
ann * A room is letters and digits
ann * A room is letters and digits
ann * line too long
ann (the end)
0
]], with_chat(([[talk 'ann<' 'ann>ann' 'ann<' 'ann>/dance' 'ann<' 'ann>/join' 'ann<' 'ann>/join a b' 'ann<' \
            'ann>%s' 'ann<' 'ann<'; end]]):format(("x"):rep(1001))))
    end)

    it("lets nobody wait for one who doesn't read", function()
        -- Eve reads nothing: what fits into the sockets is not enough for what Ann says.
        local line = ("x"):rep(900)
        assert.equal("ann * In lobby: ann, bob\n0\n", with_chat(([[perl -MIO::Socket::INET -e '
            my ($ann, $bob, $eve) = map { my $s = IO::Socket::INET->new("127.0.0.1:$ARGV[0]"); print $s "$_\n";
                my $line; do { $line = <$s> } until $line =~ /$_ is here/; $s } qw(ann bob eve);
            alarm 50;
            for my $n (1 .. 20000) {
                print $ann "$n %s\n";
                my $line;
                do { $line = <$bob> // die } until $line =~ /^ann: $n x/ or $line =~ /eve has left/;
                last if $line =~ /left/;
            }
            print $ann "/who\n";
            my $line;
            do { $line = <$ann> // die } until $line =~ /In/;
            $line =~ s/\r//;
            print "ann $line"' $port; end]]):format(line)))
    end)

    it("says goodbye when it ends", function()
        assert.equal([[
ann * Your name?
ann * ann is here in lobby
bob * Your name?
ann * stopping
ann (the end)
bob (the end)
0
]], with_chat [[talk 'ann<' 'ann>ann' 'ann<' 'bob<' ":kill -TERM $server" 'ann<' 'ann<' 'bob<'; wait $server; echo $?
            cat errors]])
    end)

    it("says in one line what is wrong with its port", function()
        local result = child.shell(child.example("chat.lua", "http"))
        assert.equal("chat.lua: PORT is a number from 0 to 65535, not http (see --help)\n", result.output)
        assert.equal(1, result.status)
        local listener = luring.tcp_listen { family = luring.AF_INET, addr = "127.0.0.1", port = 0 }
        local port = luring.getsockname(listener).port
        result = child.shell(child.example("chat.lua", tostring(port)))
        drive.close(listener)
        assert.equal(("chat.lua: 127.0.0.1: %s\n"):format(luring.strerror(luring.EADDRINUSE)), result.output)
        assert.equal(1, result.status)
    end)
end)
