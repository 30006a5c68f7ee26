using RaftMq.Raft;

namespace RaftMq.Broker.Controller;

/// <summary>
/// What a number stands for, as far as is known somewhere: a node with its folder, one that is expected, or nothing (the default). A number comes back with
/// another folder; a request that comes late must not meet that one.
/// </summary>
/// <param name="Folder">Of the node that is in the cluster; null: none is.</param>
/// <param name="ExpectedUntilMs">Until when one is expected, which tells one expectation from the next; 0: none is.</param>
internal readonly record struct NodeAsKnown(StoreId? Folder, long ExpectedUntilMs);
