# kill_store.pl ROUNDS COMMAND...: kills a store again and again while clients set values, and starts
# it again: what it had answered to must be there, and whole. Prints how often.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

use constant CLIENTS => 8;
my ($rounds, @command) = @ARGV;
my @sent = my @kept = (0) x CLIENTS;    # the number that a client has set, and has an answer for
my ($answers, $torn) = (0, 0);
my $running;
$SIG{__DIE__} = sub { kill KILL => $running if $running };
$SIG{ALRM} = sub { die "the store is too slow\n" };
alarm 50;
my $enough = time + 25;    # on a machine that is slow, fewer rounds do

# Large enough to be written in several parts.
sub value { my ($client, $number) = @_; return "$client:$number;" x (200 + $client * 150) }

sub start {
    my $pid = open my $output, "-|", @command or die "$command[0]: $!\n";
    $running = $pid;
    while (<$output>) { return ($pid, $1, $output) if /port (\d+)/ }
    die "the store ended\n";
}

# What a key has: a client's number, of a value that is whole.
sub number_of {
    my ($socket, $client) = @_;
    print $socket "GET key$client\r\n";
    my $head = <$socket> // die "no answer\n";
    return 0 if $head eq "\$-1\r\n";
    my ($size) = $head =~ /^\$(\d+)\r\n$/ or die "no answer to GET: $head";
    read($socket, my $value, $size + 2) == $size + 2 or die "half an answer\n";
    my ($number) = $value =~ /^$client:(\d+);/ or die "no value: " . substr($value, 0, 80) . "\n";
    $value eq value($client, $number) . "\r\n" or die "torn: a value of key$client\n";
    return $number;
}

sub connect_to { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$_[0]") or die "connect: $!\n" }

for my $round (1 .. $rounds + 1) {
    last if time > $enough and $answers;
    my ($pid, $port, $output) = start();
    my $asking = connect_to($port);
    for (0 .. CLIENTS - 1) {
        my $number = number_of($asking, $_);
        die "lost: key$_ is $number, and $kept[$_] was answered to\n" if $number < $kept[$_];
        die "unheard of: key$_ is $number\n" if $number > $sent[$_];
        $kept[$_] = $sent[$_] = $number;
    }
    my (@sockets, %of);
    for (0 .. CLIENTS - 1) {
        $sockets[$_] = connect_to($port);
        $of{ $sockets[$_] } = $_;
    }
    my $set = sub {
        my $value = value($_[0], ++$sent[$_[0]]);
        syswrite $sockets[$_[0]],
            sprintf "*3\r\n\$3\r\nSET\r\n\$4\r\nkey%d\r\n\$%d\r\n%s\r\n", $_[0], length $value, $value;
    };
    $set->($_) for 0 .. CLIENTS - 1;
    my $select = IO::Select->new(@sockets);
    my $end;    # from the first answer on, which a slow machine takes a while for
    while ((my $left = $end ? $end - time : 10) > 0) {
        for my $socket ($select->can_read($left)) {
            $end //= time + 0.005 + rand 0.03;
            sysread $socket, my $answer, 100 or die "the store ended\n";
            $answer eq "+OK\r\n" or die "no answer to SET: $answer";
            my $client = $of{$socket};
            $kept[$client] = $sent[$client];
            $answers++;
            $set->($client);
        }
    }
    kill KILL => $pid;
    # What it had answered when it died counts too.
    for my $socket (@sockets) {
        my $answer;
        $kept[ $of{$socket} ] = $sent[ $of{$socket} ], $answers++
            if sysread($socket, $answer, 100) and $answer eq "+OK\r\n";
    }
    close $output;
}
die "only $answers values were set\n" if $answers < CLIENTS;
print "nothing lost, nothing torn\n";
print STDERR "$answers answers\n" if $ENV{VERBOSE};
