using System.Globalization;
using System.Text;

namespace RaftMq.Conformance.SystemCalls;

/// <summary>The checker of <see cref="AckAfterFsyncTests"/> against traces made by hand: it accepts a right one and can refuse.</summary>
public sealed class DurableAckTests
{
    private static readonly byte[] s_mark = "mark-17"u8.ToArray();

    [Fact]
    public void Two_of_three_synced_before_the_answer_is_right() =>
        Assert.Null(Fault(Leader(sync: "fdatasync({J}) = 0"), Follower(1), []));

    [Fact]
    public void An_answer_before_the_second_nodes_fdatasync_is_a_fault() =>
        Assert.Contains("node 1 durable after", Fault(Leader(sync: "fdatasync({J}) = 0"), Follower(lateMs: 50), []), StringComparison.Ordinal);

    [Fact]
    public void An_answer_before_the_leaders_own_fdatasync_counts_the_followers_only()
    {
        string[] leader = [.. Leader(sync: "").Where(line => line.Length > 0), Line(30_000, "fdatasync({J}) = 0"), Line(31_000, "+++ exited with 0 +++")];
        Assert.NotNull(Fault(leader, Follower(1), []));
        Assert.Null(Fault(leader, Follower(1), Follower(1)));
    }

    [Fact]
    public void An_fdatasync_that_failed_does_not_count() =>
        Assert.NotNull(Fault(Leader(sync: "fdatasync({J}) = -1 EIO (Input/output error)"), Follower(1), []));

    [Fact]
    public void An_fdatasync_of_another_file_does_not_count() =>
        Assert.NotNull(Fault(Leader(sync: "fdatasync({S}) = 0"), Follower(1), []));

    [Fact]
    public void An_fdatasync_that_began_before_the_write_does_not_count()
    {
        string[] follower =
        [
            Line(2500, "fdatasync({J} <unfinished ...>"),
            Line(2600, "pwrite64({J}, \"{M}\", 7, 0) = 7", thread: 8),
            Line(2700, "<... fdatasync resumed>) = 0"),
            Line(2800, "sendto({P}, \"\\x01\", 1, 0, NULL, 0) = 1", thread: 8),
        ];
        Assert.NotNull(Fault(Leader(sync: "fdatasync({J}) = 0"), follower, []));
    }

    [Fact]
    public void An_fdatasync_in_two_lines_ends_with_the_second()
    {
        string[] late =
        [
            Line(2500, "pwritev({J}, [{iov_base=\"\\x00\", iov_len=1}, {iov_base=\"{M}\", iov_len=7}], 2, 0) = 8"),
            Line(2600, "fdatasync({J} <unfinished ...>"),
            Line(2700, "sendto({P}, \"\\x01\", 1, 0, NULL, 0) = 1", thread: 8),
            Line(90_000, "<... fdatasync resumed>) = 0"),
        ];
        string[] inTime = [.. late[..3], Line(2900, "<... fdatasync resumed>) = 0")];
        Assert.NotNull(Fault(Leader(sync: "fdatasync({J}) = 0"), late, []));
        Assert.Null(Fault(Leader(sync: "fdatasync({J}) = 0"), inTime, []));
    }

    [Fact]
    public void A_write_that_is_cut_before_the_mark_does_not_count()
    {
        string[] follower = [.. Follower(1).Select(line => line.Replace("= 7", "= 3", StringComparison.Ordinal))];
        Assert.NotNull(Fault(Leader(sync: "fdatasync({J}) = 0"), follower, []));
    }

    [Fact]
    public void An_answer_with_another_correlation_id_is_none()
    {
        string[] leader = [.. Leader(sync: "fdatasync({J}) = 0").Select(line => line.Replace("\\x63\\x63", "\\x64\\x64", StringComparison.Ordinal))];
        leader[0] = Leader(sync: "")[0];
        Assert.Contains("no such request", Fault(leader, Follower(1), []), StringComparison.Ordinal);
    }

    /// <summary>Receives the request at 1 ms in two pieces, writes at 2 ms, syncs, and answers at 10 ms.</summary>
    private static string[] Leader(string sync) =>
    [
        // Size 15, key 0, version 9, correlation id 0x00006363, the mark.
        Line(1000, "recvmsg({K}, {msg_name=NULL, msg_iov=[{iov_base=\"\\x00\\x00\\x00\\x0f\\x00\\x00\\x00\\x09\\x00\\x00\\x63\\x63\", iov_len=512}], msg_controllen=0}, 0) = 12"),
        Line(1050, "recvfrom({K}, 0x7f00, 512, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"),
        Line(1100, "recvfrom({K}, \"{M}\", 512, 0, NULL, NULL) = 7"),
        Line(2000, "pwrite64({J}, \"{M}\", 7, 0) = 7"),
        sync.Length == 0 ? Line(2500, "pwrite64({S}, \"\\x00\", 1, 0) = 1") : Line(2500, sync),
        Line(10_000, "sendmsg({K}, {msg_name=NULL, msg_iov=[{iov_base=\"\\x00\\x00\\x00\\x05\\x00\\x00\\x63\\x63\\x00\", iov_len=9}]}, MSG_NOSIGNAL) = 9"),
        Line(11_000, "+++ exited with 0 +++"),
    ];

    /// <summary>Writes and syncs some milliseconds after the request came to the leader.</summary>
    private static string[] Follower(int lateMs) =>
    [
        Line((1000 * lateMs) + 1500, "pwrite64({J}, \"{M}\", 7, 0) = 7"),
        Line((1000 * lateMs) + 1600, "fdatasync({J}) = 0"),
        Line((1000 * lateMs) + 1700, "sendto({P}, \"\\x01\", 1, 0, NULL, 0) = 1"),
    ];

    private static string Line(long atUs, string text, int thread = 7)
    {
        string mark = Hex(s_mark);
        string call = text.Replace("{M}", mark, StringComparison.Ordinal)
            .Replace("{J}", $"31<{Hex("/data/journal/0000000000000001.journal"u8)}>", StringComparison.Ordinal)
            .Replace("{S}", $"32<{Hex("/data/groups/t-0/0.log"u8)}>", StringComparison.Ordinal)
            .Replace("{K}", $"40<{Hex("socket:[4711]"u8)}>", StringComparison.Ordinal)
            .Replace("{P}", $"41<{Hex("socket:[4712]"u8)}>", StringComparison.Ordinal);
        return string.Create(CultureInfo.InvariantCulture, $"{thread}  1700000000.{atUs:000000} {call}");
    }

    private static string Hex(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (byte one in bytes)
        {
            text.Append(CultureInfo.InvariantCulture, $"\\x{one:x2}");
        }

        return text.ToString();
    }

    private static string? Fault(params string[][] traces) =>
        DurableAck.Fault([.. traces.Select(SystemCallTrace.Read)], leader: 0, s_mark, nodesMin: 2);
}
