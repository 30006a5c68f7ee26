using System.Reflection;
using RaftMq.Kafka.Handlers;
using RaftMq.Kafka.Nodes;
using RaftMq.Kafka.Tests.Fakes;
using RaftMq.Kafka.Wire;
using RaftMq.Kafka.Wire.Messages;

namespace RaftMq.Kafka.Tests.Handlers;

public sealed class AllVersionsTests
{
    public static TheoryData<string, int> Served()
    {
        var served = new TheoryData<string, int>();
        foreach (ApiVersionRange range in ServedVersions.All)
        {
            for (int version = range.Min; version <= range.Max; version++)
            {
                served.Add(range.Key.ToString(), version);
            }
        }

        return served;
    }

    [Theory]
    [MemberData(nameof(Served))]
    public async Task Every_advertised_version_is_answered_in_its_own_form(string api, int version)
    {
        var connection = new TestConnection();
        connection.Broker.AddTopic("orders", 2);
        var request = (IKafkaMessage)Activator.CreateInstance(MessageType($"{api}Request"))!;
        if (request is ProduceRequest produce)
        {
            produce.Acks = -1;
        }

        TestResponse response = connection.Send(request, version);
        await response.EndAsync();
        MethodInfo decode = typeof(TestResponse).GetMethod(nameof(TestResponse.Decode))!.MakeGenericMethod(MessageType($"{api}Response"));
        Assert.NotNull(decode.Invoke(response, []));
        Assert.Empty(connection.Observer.Faults);
    }

    [Fact]
    public void Every_advertised_api_has_a_handler_and_every_handler_is_advertised()
    {
        var connection = new TestConnection();
        var table = new HandlerTable(new KafkaNode(
            connection.Broker, connection.Clock, connection.Clock, connection.Observer, new KafkaLimits()));
        for (int key = 0; key < 100; key++)
        {
            Assert.Equal(ServedVersions.TryFind((ApiKey)key, out _), table.Find((ApiKey)key) is not null);
        }
    }

    private static Type MessageType(string name) =>
        typeof(MetadataRequest).Assembly.GetType($"{typeof(MetadataRequest).Namespace}.{name}", throwOnError: true)!;
}
