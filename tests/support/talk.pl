# talk.pl PORT STEP...: clients of a server that speaks in lines. Each step is
#   NAME>LINE  the client of that name sends a line; it connects when it is named first
#   NAME<      it waits for a line, which is printed behind its name
#   NAME!      it leaves
#   :COMMAND   the shell runs that
use strict;
use warnings;
use IO::Socket::INET;

my $port = shift;
my %client;
$| = 1;
$SIG{ALRM} = sub { die "no answer\n" };
for (@ARGV) {
    if (/^:(.*)/s) { system("sh", "-c", $1) == 0 or die "$1\n"; next }
    my ($name, $act, $text) = /^(\w+)([<>!])(.*)$/s or die "no step: $_\n";
    my $client = $client{$name} ||= IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") || die "$name: $!\n";
    alarm 20;
    if ($act eq ">") {
        print $client "$text\r\n";
    } elsif ($act eq "<") {
        my $line = <$client> // "(the end)";
        $line =~ s/\r?\n$//;
        print "$name $line\n";
    } else {
        close delete $client{$name};
    }
}
