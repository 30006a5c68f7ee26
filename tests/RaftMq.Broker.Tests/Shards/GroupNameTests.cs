using RaftMq.Broker.Shards;
using RaftMq.Raft;

namespace RaftMq.Broker.Tests.Shards;

/// <summary>A name is all that is left of a group whose own file is lost, and what tells a start where and in which term its replica began.</summary>
public sealed class GroupNameTests
{
    public static TheoryData<string> Names => ["controller", "orders-0", "a-b-12", "orders-0~3.40", "orders-0~3.40.7", "orders-2147483647~2147483647.9223372036854775807.2147483647"];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_name_that_is_read_is_written_again(string name) => Assert.Equal(name, GroupName.TryParse(name)?.ToString());

    [Theory]
    [InlineData("orders-0", 0, 0, 0)]
    [InlineData("orders-0~3.40", 3, 40, 0)]
    [InlineData("orders-0~3.40.7", 3, 40, 7)]
    public void It_says_when_the_replica_came_and_where_and_in_which_term_it_began(string name, int life, long bornFrom, int bornIn)
    {
        var expected = new GroupName.Partition("orders", 0, life, new LogIndex(bornFrom), new Term(bornIn));
        Assert.Equal(expected, GroupName.TryParse(name));
        Assert.Equal(expected, GroupName.TryParse($"groups/{name}-0123456789abcdef0123456789abcdef"));
    }

    [Theory]
    [InlineData("orders")]
    [InlineData("orders-x")]
    [InlineData("orders-00")]
    [InlineData("orders-0~3")]
    [InlineData("orders-0~0.40.7")]
    [InlineData("orders-0~3.40.0")]
    [InlineData("orders-0~3.40.07")]
    [InlineData("orders-0~3.40.7.1")]
    [InlineData("orders-0~3.40.2147483648")]
    [InlineData("orders-0~2147483648.40.7")]
    [InlineData("orders-0~3.9223372036854775808")]
    public void What_nobody_writes_is_no_name(string name) => Assert.Null(GroupName.TryParse(name));
}
