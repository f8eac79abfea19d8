/* libmbim's side of the comparison; tests/bench/README.md says how to read it.
 *
 *     libmbim SECONDS <MESSAGES
 *
 * Reads lines "NAME HEXADECIMAL": messages of a modem, named after their command. For each it prints "decode NAME RATE", with
 * RATE the messages per second that are read from bytes into values by the library's function for the command, values
 * freed. Then "encode NAME RATE" for each command: a request made of values, freed. Then "trace text RATE": all messages,
 * again and again, from bytes into the library's text. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmbim-glib.h>

/* Between two looks at the clock. */
#define BATCH 2000
#define MOST 64

static double seconds;

/* Of this program on the processor: others may be there too. */
static double
now (void)
{
    struct timespec at;

    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double) at.tv_sec + (double) at.tv_nsec / 1e9;
}

static void
must (gboolean done)
{
    if (!done) {
        fprintf (stderr, "libmbim refuses a message\n");
        exit (1);
    }
}

/* ---- decode ---- */

static void
device_caps (const MbimMessage *message)
{
    gchar *custom, *id, *firmware, *hardware;
    MbimDeviceType type;
    MbimCellularClass cellular;
    MbimVoiceClass voice;
    MbimSimClass sim;
    MbimDataClass data;
    MbimSmsCaps sms;
    MbimCtrlCaps control;
    guint32 sessions;

    must (mbim_message_device_caps_response_parse (message, &type, &cellular, &voice, &sim, &data, &sms, &control, &sessions,
                                                   &custom, &id, &firmware, &hardware, NULL));
    g_free (custom), g_free (id), g_free (firmware), g_free (hardware);
}

static void
subscriber_ready (const MbimMessage *message)
{
    MbimSubscriberReadyState state;
    gchar *subscriber, *card, **numbers;
    MbimReadyInfoFlag info;
    guint32 count;

    must (mbim_message_subscriber_ready_status_response_parse (message, &state, &subscriber, &card, &info, &count, &numbers,
                                                               NULL));
    g_free (subscriber), g_free (card), g_strfreev (numbers);
}

static void
register_state (const MbimMessage *message)
{
    MbimNwError error;
    MbimRegisterState state;
    MbimRegisterMode mode;
    MbimDataClass data;
    MbimCellularClass cellular;
    gchar *id, *name, *roaming;
    MbimRegistrationFlag flag;

    must (mbim_message_register_state_response_parse (message, &error, &state, &mode, &data, &cellular, &id, &name, &roaming,
                                                      &flag, NULL));
    g_free (id), g_free (name), g_free (roaming);
}

static void
packet_service (const MbimMessage *message)
{
    guint32 error;
    MbimPacketServiceState state;
    MbimDataClass data;
    guint64 up, down;

    must (mbim_message_packet_service_response_parse (message, &error, &state, &data, &up, &down, NULL));
}

static void
signal_state (const MbimMessage *message)
{
    guint32 rssi, rate, interval, rssi_threshold, rate_threshold;

    must (mbim_message_signal_state_response_parse (message, &rssi, &rate, &interval, &rssi_threshold, &rate_threshold, NULL));
}

static void
connect_info (const MbimMessage *message)
{
    guint32 session, error;
    MbimActivationState state;
    MbimVoiceCallState voice;
    MbimContextIpType type;
    const MbimUuid *context;

    must (mbim_message_connect_response_parse (message, &session, &state, &voice, &type, &context, &error, NULL));
}

static void
ip_configuration (const MbimMessage *message)
{
    guint32 session, count4, count6, names4, names6, mtu4, mtu6;
    MbimIPConfigurationAvailableFlag has4, has6;
    MbimIPv4ElementArray *address4;
    MbimIPv6ElementArray *address6;
    const MbimIPv4 *gateway4;
    const MbimIPv6 *gateway6;
    MbimIPv4 *server4;
    MbimIPv6 *server6;

    must (mbim_message_ip_configuration_response_parse (message, &session, &has4, &has6, &count4, &address4, &count6, &address6,
                                                        &gateway4, &gateway6, &names4, &server4, &names6, &server6, &mtu4,
                                                        &mtu6, NULL));
    mbim_ipv4_element_array_free (address4), mbim_ipv6_element_array_free (address6);
    g_free (server4), g_free (server6);
}

static void
radio_state (const MbimMessage *message)
{
    MbimRadioSwitchState hardware, software;

    must (mbim_message_radio_state_response_parse (message, &hardware, &software, NULL));
}

static void
pin (const MbimMessage *message)
{
    MbimPinType type;
    MbimPinState state;
    guint32 left;

    must (mbim_message_pin_response_parse (message, &type, &state, &left, NULL));
}

static void
sms_read (const MbimMessage *message)
{
    MbimSmsFormat format;
    guint32 count;
    MbimSmsPduReadRecordArray *pdu;
    MbimSmsCdmaReadRecordArray *cdma;

    must (mbim_message_sms_read_response_parse (message, &format, &count, &pdu, &cdma, NULL));
    mbim_sms_pdu_read_record_array_free (pdu), mbim_sms_cdma_read_record_array_free (cdma);
}

/* ---- encode ---- */

static MbimMessage *
make_sms (void)
{
    static guint8 pdu[] = { 0, 1, 0, 8, 0x91, 0x51, 0x55, 0x10, 0, 0, 0, 5, 0xe8, 0x32, 0x9b, 0xfd, 0x06 };
    MbimSmsPduSendRecord record = { sizeof pdu, pdu };

    return mbim_message_sms_send_set_new (MBIM_SMS_FORMAT_PDU, &record, NULL, NULL);
}

static MbimMessage *
make_connect (void)
{
    return mbim_message_connect_set_new (0, MBIM_ACTIVATION_COMMAND_ACTIVATE, "internet", "user", "password",
                                         MBIM_COMPRESSION_NONE, MBIM_AUTH_PROTOCOL_CHAP, MBIM_CONTEXT_IP_TYPE_IPV4V6,
                                         mbim_uuid_from_context_type (MBIM_CONTEXT_TYPE_INTERNET), NULL);
}

#define MAKE(NAME, CALL)              \
    static MbimMessage *make_##NAME (void) { return CALL; }

MAKE (device_caps, mbim_message_device_caps_query_new (NULL))
MAKE (subscriber_ready, mbim_message_subscriber_ready_status_query_new (NULL))
MAKE (register_state, mbim_message_register_state_query_new (NULL))
MAKE (packet_service, mbim_message_packet_service_set_new (MBIM_PACKET_SERVICE_ACTION_ATTACH, NULL))
MAKE (signal_state, mbim_message_signal_state_query_new (NULL))
MAKE (ip_configuration, mbim_message_ip_configuration_query_new (0, 0, 0, 0, NULL, 0, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, 0, NULL))
MAKE (radio_state, mbim_message_radio_state_set_new (MBIM_RADIO_SWITCH_STATE_ON, NULL))
MAKE (pin, mbim_message_pin_set_new (MBIM_PIN_TYPE_PIN1, MBIM_PIN_OPERATION_ENTER, "1234", "", NULL))

static const struct {
    const char *name;
    void (*decode) (const MbimMessage *);
    MbimMessage *(*make) (void);
} commands[] = {
    { "device-caps", device_caps, make_device_caps },
    { "subscriber-ready", subscriber_ready, make_subscriber_ready },
    { "register-state", register_state, make_register_state },
    { "packet-service", packet_service, make_packet_service },
    { "signal-state", signal_state, make_signal_state },
    { "connect", connect_info, make_connect },
    { "ip-configuration", ip_configuration, make_ip_configuration },
    { "radio-state", radio_state, make_radio_state },
    { "pin", pin, make_pin },
    { "sms", sms_read, make_sms },
};

static gsize
from_hex (const char *text, guint8 **bytes)
{
    gsize length = 0;

    *bytes = g_malloc (strlen (text) / 2 + 1);
    for (; g_ascii_isxdigit (text[0]) && g_ascii_isxdigit (text[1]); text += 2)
        (*bytes)[length++] = (guint8) (g_ascii_xdigit_value (text[0]) << 4 | g_ascii_xdigit_value (text[1]));
    return length;
}

int
main (int count, char **arguments)
{
    guint8 *all[MOST];
    gsize lengths[MOST];
    guint place, known = 0, kind;
    char *line = NULL;
    size_t room = 0;
    double start, spent;
    gulong done;

    if (count != 2)
        return 2;
    seconds = atof (arguments[1]);
    while (known < MOST && getline (&line, &room, stdin) > 0) {
        char *rest = strchr (line, ' ');

        if (!rest)
            return 2;
        *rest++ = 0;
        lengths[known] = from_hex (rest, &all[known]);
        for (kind = 0; kind < G_N_ELEMENTS (commands) && strcmp (commands[kind].name, line) != 0; kind++)
            ;
        if (kind == G_N_ELEMENTS (commands))
            return 2;
        for (start = now (), done = 0; (spent = now () - start) < seconds; done += BATCH)
            for (place = 0; place < BATCH; place++) {
                MbimMessage *message = mbim_message_new (all[known], (guint32) lengths[known]);

                commands[kind].decode (message);
                mbim_message_unref (message);
            }
        printf ("decode %s %.0f\n", line, (double) done / spent);
        known++;
    }
    for (kind = 0; kind < G_N_ELEMENTS (commands); kind++) {
        for (start = now (), done = 0; (spent = now () - start) < seconds; done += BATCH)
            for (place = 0; place < BATCH; place++)
                mbim_message_unref (commands[kind].make ());
        printf ("encode %s %.0f\n", commands[kind].name, (double) done / spent);
    }
    for (start = now (), done = 0; (spent = now () - start) < seconds; done += BATCH)
        for (place = 0; place < BATCH; place++) {
            guint which = (guint) ((done + place) % known);
            MbimMessage *message = mbim_message_new (all[which], (guint32) lengths[which]);

            g_free (mbim_message_get_printable_full (message, 1, 0, "", FALSE, NULL));
            mbim_message_unref (message);
        }
    printf ("trace text %.0f\n", (double) done / spent);
    return 0;
}
