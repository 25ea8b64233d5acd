# The CA that signs itself.
lifetime 30y
max-lifetime 30y
key rsa:4096 ec:P-384
usage keyCertSign
usage cRLSign
ca yes
