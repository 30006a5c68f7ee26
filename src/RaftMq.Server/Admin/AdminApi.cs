using System.Collections.Immutable;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using RaftMq.Broker;
using RaftMq.Broker.Controller;
using RaftMq.Raft;

namespace RaftMq.Server.Admin;

/// <summary>The HTTP API that the command line uses. Reads come from what this node knows; changes go to the controller's leader.</summary>
internal static class AdminApi
{
    public static void Map(IEndpointRouteBuilder routes, HttpSources sources)
    {
        IBroker broker = sources.Node.Broker;
        routes.MapGet("/v1/cluster", () => AdminView.Of(broker.Cluster));
        routes.MapGet("/v1/nodes", () => AdminView.NodesOf(broker.Cluster));
        routes.MapPost("/v1/nodes/{node:int}", (int node, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.ExpectNode(new NodeId(node)), cancellation));
        routes.MapPost("/v1/nodes/{node:int}/drain", (int node, bool? cancel, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.DrainNode(new NodeId(node), cancel ?? false), cancellation));
        routes.MapDelete("/v1/nodes/{node:int}", (int node, bool? lost, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.RemoveNode(new NodeId(node), lost ?? false), cancellation));
        routes.MapGet("/v1/balance", () => AdminView.BalanceOf(broker.Cluster));
        routes.MapPost("/v1/balance", (CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.Balance(Cancel: false), cancellation));
        routes.MapDelete("/v1/balance", (CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.Balance(Cancel: true), cancellation));
        routes.MapGet("/v1/status", async (CancellationToken cancellation) =>
            AdminView.Of(await sources.Sampler.CollectAsync(cancellation), sources));
        routes.MapGet("/v1/topics", () => AdminView.Of(broker.Cluster).Topics);
        routes.MapGet("/v1/topics/{topic}", (string topic) =>
            broker.Cluster.Topics.TryGetValue(topic, out TopicInfo? info)
                ? Results.Json(AdminView.Of(info, broker.Cluster))
                : Unknown(topic));
        routes.MapPost("/v1/topics", (CreateTopicRequest request, CancellationToken cancellation) =>
            string.IsNullOrEmpty(request.Name) ? Task.FromResult(Bad("The topic has no name.")) : AdminCall.RunAsync(broker, Create(request), cancellation));
        routes.MapDelete("/v1/topics/{topic}", (string topic, CancellationToken cancellation) =>
            broker.Cluster.Topics.TryGetValue(topic, out TopicInfo? info)
                ? AdminCall.RunAsync(broker, new AdminCommand.DeleteTopic(topic, info.Id), cancellation)
                : Task.FromResult(Unknown(topic)));
        routes.MapPost("/v1/topics/{topic}/partitions", (string topic, AddPartitionsRequest request, CancellationToken cancellation) =>
            request.Count is not { } count
                ? Task.FromResult(Bad("count says how many partitions the topic is to have."))
                : AdminCall.RunAsync(
                    broker, new AdminCommand.AddPartitions(topic, count, [], request.ValidateOnly ?? false), cancellation));
        routes.MapPatch("/v1/topics/{topic}/configs", (string topic, Dictionary<string, string?> changes, CancellationToken cancellation) =>
            AdminCall.RunAsync(
                broker,
                new AdminCommand.SetTopicConfigs(topic, changes.ToImmutableSortedDictionary(StringComparer.Ordinal), Replace: false, ValidateOnly: false),
                cancellation));
        routes.MapPost("/v1/partitions/{topic}/{partition:int}/transfer", (string topic, int partition, string? to, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.TransferLeadership(topic, partition, NodeOf(to)), cancellation));
        routes.MapPost("/v1/partitions/{topic}/{partition:int}/move", (string topic, int partition, string? to, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.Reassign(topic, partition, NodesOf(to)), cancellation));
        routes.MapDelete("/v1/partitions/{topic}/{partition:int}/move", (string topic, int partition, CancellationToken cancellation) =>
            AdminCall.RunAsync(broker, new AdminCommand.Reassign(topic, partition, To: null), cancellation));
    }

    private static AdminCommand.CreateTopic Create(CreateTopicRequest request) => new(
        request.Name!, request.Partitions ?? -1, request.ReplicationFactor ?? -1, [],
        (request.Configs ?? []).ToImmutableSortedDictionary(StringComparer.Ordinal), request.ValidateOnly ?? false);

    private static NodeId NodeOf(string? to) => int.TryParse(to, NumberStyles.None, CultureInfo.InvariantCulture, out int node)
        ? new NodeId(node)
        : throw new RequestFaultException("The query says which node is to lead: ?to=NODE, a number.");

    private static ImmutableArray<NodeId> NodesOf(string? to)
    {
        ImmutableArray<NodeId>.Builder nodes = ImmutableArray.CreateBuilder<NodeId>();
        foreach (string text in (to ?? "").Split(','))
        {
            nodes.Add(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int node)
                ? new NodeId(node)
                : throw new RequestFaultException("The query says on which nodes the replicas are to be, the first to lead: ?to=1,2,3."));
        }

        return nodes.ToImmutable();
    }

    private static IResult Unknown(string topic) => Results.Json(
        new AdminAnswer(nameof(AdminOutcome.UnknownTopic), $"There is no topic {topic}."), statusCode: StatusCodes.Status404NotFound);

    private static IResult Bad(string message) => Results.Json(
        new AdminAnswer(nameof(AdminOutcome.Refused), message), statusCode: StatusCodes.Status400BadRequest);
}
