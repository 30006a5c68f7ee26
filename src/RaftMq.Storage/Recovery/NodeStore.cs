namespace RaftMq.Storage.Recovery;

public sealed class NodeStore;
