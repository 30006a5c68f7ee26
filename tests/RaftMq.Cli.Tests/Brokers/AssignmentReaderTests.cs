using RaftMq.Cli.Brokers;

namespace RaftMq.Cli.Tests.Brokers;

public sealed class AssignmentReaderTests
{
    /// <summary>Version 0: two topics, no user data.</summary>
    private static readonly byte[] Assignment =
    [
        0, 0, 0, 0, 0, 2, 0, 1, (byte)'a', 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, (byte)'b', 0, 0, 0, 1, 0, 0, 0, 7, 0xFF, 0xFF, 0xFF, 0xFF,
    ];

    [Fact]
    public void Partitions_of_a_member_are_read()
    {
        Assert.Equal([("a", 0), ("a", 3), ("b", 7)], AssignmentReader.Read("consumer", Assignment));

        byte[] later = [0, 9, .. Assignment[2..], 1, 2, 3];
        Assert.Equal(3, AssignmentReader.Read("consumer", later).Count);
    }

    [Fact]
    public void What_is_no_assignment_of_consumers_is_none()
    {
        Assert.Empty(AssignmentReader.Read("connect", Assignment));
        Assert.Empty(AssignmentReader.Read("consumer", []));
        for (int length = 0; length < Assignment.Length; length++)
        {
            Assert.Empty(AssignmentReader.Read("consumer", Assignment.AsSpan(0, length)));
        }
    }
}
